"""
A PostgreSQL of the fault tests' own, because it is killed.
"""

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg

from tests.servers import Child, start_postgres


class Postgres:
    """
    Run the server on data that stays; `restart` is what a test does to it.

    It is set to confirm before the disk has it: that each session asks for more is ours to do.
    """

    def __init__(self, folder: Path) -> None:
        self._child, self.url = start_postgres(folder)
        self._argv = list(self._child.process.args)  # type: ignore[arg-type]  # a list, as given

    def restart(self, sent: signal.Signals) -> None:
        """
        End it and start it again: SIGINT is the orderly way.
        """
        children = psutil.Process(self._child.process.pid).children()
        self._child.stop(sent)
        psutil.wait_procs(children, timeout=20)  # a new one may not start beside the old one's
        options: dict[str, Any] = {"env": {"PATH": os.environ["PATH"], "LC_ALL": "C"}, "cwd": "/"}
        if os.getuid() == 0:
            options |= {"user": "nobody", "group": "nogroup", "extra_groups": []}
        self._child = Child(self._argv, self._child.log, **options)
        self._child.ready(lambda: psycopg.connect(self.url, connect_timeout=2).close())

    def hold(self, seconds: float) -> None:
        """
        Stop every process of it for a while, and let them go on.
        """
        main = psutil.Process(self._child.process.pid)
        held = [main, *main.children()]
        for sent in (signal.SIGSTOP, signal.SIGCONT):
            for one in held:
                with suppress(psutil.Error):
                    one.send_signal(sent)
            if sent == signal.SIGSTOP:
                time.sleep(seconds)

    def stop(self) -> None:
        """
        End it.
        """
        with suppress(ProcessLookupError):
            self._child.stop(signal.SIGINT)


@contextmanager
def own_postgres() -> Iterator[Postgres]:
    """
    Run one until the block ends.
    """
    folder = Path(tempfile.mkdtemp(prefix="pgf-", dir="/tmp"))
    try:
        server = Postgres(folder)
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
