"""
Run one process of the service, start it again when it dies, and stop it.

It ends with us, however we end.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import structlog

log = structlog.get_logger()

_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)
_STEADY_S = 10.0  # a part that ran this long begins again with the shortest wait
_WAIT_S_MIN, _WAIT_S_MAX = 0.25, 5.0
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(frozen=True, slots=True)
class Plan:
    """
    Say what a part is: its name, command and environment, and where its output goes.

    `log` is a file; None means that the output goes where ours does.
    """

    name: str
    argv: tuple[str, ...]
    environment: Mapping[str, str]
    log: Path | None


class ChildProcess:
    """
    Hold one planned process; call it from the main thread only.

    The kernel ends a child when the *thread* that started it ends, so no other thread may start
    one.
    """

    def __init__(self, plan: Plan, log_bytes_max: int) -> None:
        self.plan = plan
        self._log_bytes_max = log_bytes_max
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._start_again_at: float | None = None
        self._wait_s = _WAIT_S_MIN

    @property
    def pid(self) -> int | None:
        """
        Give the id of the running process; None if it does not run.
        """
        is_running = self._process is not None and self._process.poll() is None
        return self._process.pid if self._process is not None and is_running else None

    def start(self) -> None:
        """
        Start the process, in a session of its own: a Ctrl-C at our terminal does not reach it.

        Where the machine has no room for one more, `look` tries again.
        """
        try:
            self._process = self._open()
        except (OSError, subprocess.SubprocessError) as error:
            log.error("part_not_started", part=self.plan.name, reason=str(error))
            self._wait_longer()
            return
        self._started_at = time.monotonic()
        self._start_again_at = None

    def _open(self) -> "subprocess.Popen[bytes]":
        parent = os.getpid()

        def end_with_parent() -> None:
            if _LIBC is not None:
                _LIBC.prctl(_DEATH_SIGNAL, signal.SIGKILL)
            if os.getppid() != parent:
                os._exit(1)

        output = self._open_log()
        try:
            return subprocess.Popen(  # noqa: S603  the commands are our own
                self.plan.argv,
                env=dict(self.plan.environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=end_with_parent,  # noqa: PLW1509  it makes system calls only, takes no lock
            )
        finally:
            if output is not None:
                os.close(output)

    def look(self) -> int | None:
        """
        Start the process again if it died and its wait is over.

        Give the exit code when it is first seen dead.
        """
        now = time.monotonic()
        if self._start_again_at is not None:
            if now >= self._start_again_at:
                self.start()
            return None
        if self._process is None or self._process.poll() is None:
            return None
        self._end_session()
        if now - self._started_at > _STEADY_S:
            # It ran as it should: nothing speaks for waiting.
            self._start_again_at, self._wait_s = now, _WAIT_S_MIN
            return self._process.returncode
        self._wait_longer()
        return self._process.returncode

    def end(self) -> None:
        """
        End a process that hangs, and all that it started; `look` starts it again.
        """
        self._end_session()

    def stop(self, wait_s_max: float) -> bool:
        """
        Ask the process to end, and end it if it does not; False if it had to be ended.
        """
        if self._process is None:
            return True
        has_ended = True
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(wait_s_max)
            except subprocess.TimeoutExpired:
                has_ended = False
        self._end_session()
        self._process.wait()
        return has_ended

    def _wait_longer(self) -> None:
        self._start_again_at = time.monotonic() + self._wait_s
        self._wait_s = min(_WAIT_S_MAX, 2 * self._wait_s)

    def _end_session(self) -> None:
        # Whatever the process left behind is in its session, and in no other.
        if self._process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def _open_log(self) -> int | None:
        path = self.plan.log
        if path is None:
            return None
        with suppress(OSError):
            if path.stat().st_size > self._log_bytes_max:
                path.replace(path.with_suffix(path.suffix + ".1"))
        try:
            return os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
        except OSError:
            return None  # on a full disk it writes where we do, and runs all the same
