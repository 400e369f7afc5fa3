"""
Find the Chromium of this machine: Debian's package has it, and Playwright's own is not fetched.
"""

import os
import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome")


def chromium() -> str | None:
    """
    Give the Chromium of this machine, or None.
    """
    found = os.environ.get("CRISIS_ROUTER_CHROMIUM") or next(
        filter(None, map(shutil.which, NAMES)), ""
    )
    return found or None
