"""
Makes a home of its own for a benchmark, and removes it: a fresh journal, a fresh store, no Redis.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from service.errors import CrisisRouterError
from service.host.first_start import Credentials, prepare
from service.settings import Settings, read_settings


@contextmanager
def fresh_home(**changes: str) -> Iterator[tuple[Settings, Credentials]]:
    """
    Prepare a host in a new folder under the system's folder for temporary files; it is gone after
    the block.

    *changes* are environment variables of the service, such as `PORT`.
    """
    folder = Path(tempfile.mkdtemp(prefix="crisis-router-benchmark-"))
    try:
        settings = read_settings({"CRISIS_ROUTER_HOME": str(folder / "home"), **changes})
        credentials = prepare(settings)
        if credentials is None:
            raise CrisisRouterError(f"`{folder}` was not empty")
        yield settings, credentials
    finally:
        shutil.rmtree(folder, ignore_errors=True)
