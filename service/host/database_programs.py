"""
Run PostgreSQL's own programs that copy a database out and in again.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from sqlalchemy.engine import URL

from service.errors import CrisisRouterError
from service.settings import Settings
from service.store.database import read_url

Say = Callable[[str], None]


def dump(settings: Settings, target: Path, programs: Path | None, say: Say) -> None:
    """
    Copy the database into a file, as it was at one moment, while others write to it.

    Raises:
        CrisisRouterError: the program is not found, fails, or takes longer than `backup_s_max`.
    """
    words = ["--format=custom", "--no-owner", "--no-privileges", f"--file={target}"]
    _run(settings, _program("pg_dump", programs), words, lambda: _size(target, say))


def load(settings: Settings, source: Path, programs: Path | None, say: Say) -> None:
    """
    Bring a dump into an empty database, all or nothing.

    Raises:
        CrisisRouterError: as `dump` does.
    """
    words = ["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"]
    name = str(read_url(settings.database_url).database)
    program = _program("pg_restore", programs)
    _run(settings, program, [*words, f"--dbname={name}", str(source)], lambda: say("database"))


def _program(name: str, folder: Path | None) -> str:
    found = shutil.which(name, path=str(folder) if folder else None)
    if found is None:
        where = f"in `{folder}`" if folder else "on the path"
        raise CrisisRouterError(
            f"there is no `{name}` {where}: install PostgreSQL's client programs of the server's"
            " version or a newer one, or say where they are with --pg-bin FOLDER"
        )
    return found


def _run(settings: Settings, program: str, words: Sequence[str], say: Callable[[], None]) -> None:
    # By the environment: what stands on a command line, everybody on the machine can read.
    environment = {**os.environ, **_address(read_url(settings.database_url))}
    with subprocess.Popen(  # noqa: S603  # PostgreSQL's own program, and no text of a caller
        [program, *words],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        until = time.monotonic() + settings.backup_s_max
        while True:
            try:
                _, said = child.communicate(timeout=1)
                break
            except subprocess.TimeoutExpired:
                say()
                if time.monotonic() > until:
                    child.kill()
                    raise CrisisRouterError(
                        f"`{program}` took longer than {settings.backup_s_max:,.0f} s: give it more"
                        " with CRISIS_ROUTER_BACKUP_S_MAX"
                    ) from None
    if child.returncode != 0:
        first = next(iter(said.strip().splitlines()), "it does not say why")
        raise CrisisRouterError(
            f"`{program}` failed: {first[:300]}; it must be of the server's version or newer:"
            " --pg-bin FOLDER says where one is"
        )


def _address(url: URL) -> dict[str, str]:
    told = {
        "PGHOST": url.host,
        "PGPORT": url.port and str(url.port),
        "PGUSER": url.username,
        "PGPASSWORD": url.password and str(url.password),
        "PGDATABASE": url.database,
        "PGCONNECT_TIMEOUT": "10",
    }
    more = {f"PG{name.upper()}": str(value) for name, value in url.query.items()}
    return {name: value for name, value in {**told, **more}.items() if value}


def _size(path: Path, say: Say) -> None:
    if path.exists():
        say(f"{path.name}: {path.stat().st_size:,} bytes")
