"""
Find the Chromium of this machine: Debian's package has it, and Playwright's own is not fetched.
"""

import os
import shutil
import sys

MISSING = "no Chromium here: pages are not tried in a browser (Debian: apt install chromium)"
NAMES = ("chromium", "chromium-browser", "google-chrome")


def chromium() -> str | None:
    """
    Give the Chromium of this machine, or None.
    """
    found = os.environ.get("CRISIS_ROUTER_CHROMIUM") or next(
        filter(None, map(shutil.which, NAMES)), ""
    )
    return found or None


if __name__ == "__main__" and chromium() is None:
    sys.stdout.write(f"{MISSING}\n")
