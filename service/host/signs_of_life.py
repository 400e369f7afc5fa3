"""
Show that a part of the service is well, and see when one is not.

Each long-running part touches a file of its own, `<home>/alive/<part>-<pid>`, about once a second
while it is well. The supervisor looks whether that file changes, and counts by its own clock: the
wall clock may be set at any moment, and is never compared.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

TOUCH_EVERY_S = 1.0
# What one look may count at most. Where the supervisor itself was held up (a machine that slept, a
# disk that stood), the parts were too, and nobody is blamed for it.
_LOOK_S_MAX = 1.0
_FOLDER = "alive"
_UNWELL = 1  # the time, in ns, of a file whose process runs and says itself that it is not well
_RUNNABLE, _STOPPED = "R", "T"


class SignOfLife:
    """
    Touch the file of this process in a thread of its own, for as long as it is well.

    The thread ends with the process.
    """

    def __init__(self, home: Path, part: str) -> None:
        self._path = home / _FOLDER / f"{part}-{os.getpid()}"
        self._stopping = threading.Event()

    def begin(self) -> None:
        """
        Make the file: the process is there, and has not said yet that it is well.
        """
        # A full disk or a folder that is gone must not keep a part from its work.
        with suppress(OSError):
            self._path.parent.mkdir(mode=0o700, exist_ok=True)
            self._path.touch(mode=0o600)

    def start(self, is_well: Callable[[], bool]) -> None:
        """
        Begin, and touch the file from now on whenever *is_well* says so.
        """
        self.begin()
        run = threading.Thread(target=self._run, args=(is_well,), name="sign of life", daemon=True)
        run.start()

    def end(self) -> None:
        """
        Take the file away: the process ends as it should.
        """
        self._stopping.set()
        with suppress(OSError):
            self._path.unlink(missing_ok=True)

    def _run(self, is_well: Callable[[], bool]) -> None:
        while not self._stopping.wait(TOUCH_EVERY_S):
            with suppress(Exception):  # whatever fails here is no sign of life, and no end either
                if is_well():
                    _touch(self._path)
                else:
                    os.utime(self._path, ns=(_UNWELL, _UNWELL))


@dataclass(slots=True)
class _Watched:
    """
    What was seen of one process: its last sign, how long none came, how long it did nothing at all
    meanwhile, and whether a sign ever came.
    """

    sign: int
    still_s: float = 0.0
    idle_s: float = 0.0
    is_started: bool = False
    done: int | None = None

    def note(self) -> None:
        """
        Begin anew: it gave a sign.
        """
        self.still_s, self.idle_s, self.done = 0.0, 0.0, None

    def count(self, seconds: float, found: "Doing | None") -> None:
        """
        Count time without a sign; it did nothing where it used no processor and asked for none.
        """
        self.still_s += seconds
        if found is None:
            self.idle_s += seconds
            return
        is_at_rest = self.done in (found.done, None) and found.state != _RUNNABLE
        self.idle_s = self.idle_s + seconds if is_at_rest else 0.0
        self.done = found.done


@dataclass(frozen=True, slots=True)
class Doing:
    """
    What the kernel says of a process: its state, and the processor time it used, in clock ticks.
    """

    state: str
    done: int


def doing(pid: int) -> Doing | None:
    """
    Ask the kernel; None where it does not say. Source: proc_pid_stat(5).
    """
    try:
        # The name, in brackets, may hold anything.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return Doing(fields[0], int(fields[11]) + int(fields[12]))
    except (OSError, ValueError, IndexError):
        return None


class Watch:
    """
    Look at the signs of every process again and again; tells which stood still for too long.

    Args:
        start_s_max: seconds until the first sign after the file is made.
        still_s_max: seconds between two signs after that, of a process that does nothing.
        busy_s_max: the same of one that works, or waits for a processor: on a machine under load
            the thread that gives the sign may starve, and ending it would only add to the load.
        ask: asks the kernel what a process does.
    """

    def __init__(
        self,
        home: Path,
        *,
        start_s_max: float,
        still_s_max: float,
        busy_s_max: float,
        ask: Callable[[int], Doing | None] = doing,
    ) -> None:
        self._folder = home / _FOLDER
        self._start_s_max = start_s_max
        self._still_s_max = still_s_max
        self._busy_s_max = busy_s_max
        self._ask = ask
        self._watched: dict[tuple[str, int], _Watched] = {}
        self._looked_at = time.monotonic()

    def clear(self) -> None:
        """
        Remove what the run before left: its numbers may be others' by now.
        """
        for part, pid in list(self._files()):
            self.forget(part, pid)

    def expect(self, part: str, pid: int) -> None:
        """
        Await a first sign of a process that was just started.
        """
        self._watched[part, pid] = _Watched(self._sign(part, pid))

    def forget(self, part: str, pid: int) -> None:
        """
        Await nothing more of a process, and remove its file.
        """
        self._watched.pop((part, pid), None)
        with suppress(OSError):
            (self._folder / f"{part}-{pid}").unlink(missing_ok=True)

    def pids(self, part: str) -> list[int]:
        """
        Give the processes of a part that are watched.
        """
        return [pid for name, pid in self._watched if name == part]

    def note(self, part: str, pid: int) -> None:
        """
        Take a sign of life that the supervisor saw by other means than a file.
        """
        watched = self._watched.get((part, pid))
        if watched is not None:
            watched.note()
            watched.is_started = True

    def note_start(self, part: str, pid: int) -> None:
        """
        Begin anew to await a first sign: for what gives none itself.
        """
        watched = self._watched.get((part, pid))
        if watched is not None:
            watched.note()

    def look(self) -> list[tuple[str, int]]:
        """
        Look once; gives the part and process of each that gave no sign for too long.
        """
        now = time.monotonic()
        passed_s, self._looked_at = min(_LOOK_S_MAX, now - self._looked_at), now
        for key in self._files():
            if key not in self._watched:
                self.expect(*key)
        hung = []
        for (part, pid), one in self._watched.items():
            sign = self._sign(part, pid)
            if sign not in (one.sign, 0, _UNWELL):
                # The first change is of the file being made, where it was awaited before.
                one.is_started = one.is_started or one.sign != 0
                one.sign = sign
                one.note()
                continue
            found = None if sign == _UNWELL else self._ask(pid)
            one.count(passed_s, found)
            if self._hangs(one, found):
                hung.append((part, pid))
        return hung

    def _hangs(self, one: _Watched, found: Doing | None) -> bool:
        # One that is stopped will not go on by itself, even while it starts.
        if one.is_started or (found is not None and found.state == _STOPPED):
            return one.idle_s > self._still_s_max or (
                one.is_started and one.still_s > self._busy_s_max
            )
        return one.still_s > self._start_s_max

    def _files(self) -> Iterator[tuple[str, int]]:
        with suppress(OSError):
            for path in self._folder.iterdir():
                part, _, pid = path.name.rpartition("-")
                if part and pid.isdecimal():
                    yield part, int(pid)

    def _sign(self, part: str, pid: int) -> int:
        try:
            return (self._folder / f"{part}-{pid}").stat().st_mtime_ns
        except OSError:
            return 0


def _touch(path: Path) -> None:
    # A clock that was set back may give the same time twice in a row only by a strange chance; the
    # supervisor asks for a change, not for a later time.
    try:
        os.utime(path)
    except FileNotFoundError:
        path.touch(mode=0o600)
