"""
Run the whole service on one host: Redis, the processes that answer, the shipper, a worker and beat.

It starts them in order, starts again what dies or hangs, and stops all of them in order, with
nothing left behind.

    sys.exit(supervise(read_settings()))
"""

import errno
import fcntl
import http.client
import os
import shutil
import signal
import socket
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from service.errors import SettingsError
from service.host.child_process import ChildProcess, Plan
from service.host.counter_folder import counter_folder
from service.host.first_start import CREDENTIALS, is_prepared, make_home, prepare
from service.host.oversight import Oversight
from service.host.private_redis import PrivateRedis, plan_redis
from service.host.process_list import PartList
from service.metrics import COUNTER_FOLDER
from service.redis_client import connect
from service.settings import SETTINGS, Settings

Say = Callable[[str], None]

# Those that answer calls go first, so that no call is lost; the shipper then carries what is left
# to the store.
STOP_ORDER = ("api", "shipper", "beat", "worker", "redis")
STORE_IN_USE = (
    "the store has its people and keys already, so none were made. Another host of the same store"
    " needs the same keys of encryption: CRISIS_ROUTER_ENCRYPTION_KEYS, see docs/privacy.md"
)
_LOOK_S = 0.2
_PORT_S_MAX = 10.0  # how long the processes of a run that was killed may take to end
_ANSWER_S_MAX = 10.0  # after which the other parts start although nothing answers yet
_WORKER_FLAGS = ("-P", "threads", "-c", "2", "-l", "warning")
_QUIET_FLAGS = (
    "--without-gossip",
    "--without-mingle",
    "--without-heartbeat",
)  # it has no other to hear
_BEAT_FLAGS = ("--pidfile=", "-l", "warning")  # empty: else a pid file in the working folder
_ROOT = Path(__file__).resolve().parent.parent.parent


def supervise(settings: Settings, say: Say = print) -> int:
    """
    Run until a SIGINT or SIGTERM, then stop everything, and give the exit code.

    *say* takes each line that a person at the terminal reads.

    Raises:
        SettingsError: the port is taken, the home is in use or cannot be written, or no Redis is
            found.
        StoreUnavailableError: the store is away, and this host never ran before.
    """
    stop = threading.Event()
    with ExitStack() as held:
        held.enter_context(_until_signal(stop))
        held.callback(os.umask, os.umask(0o077))  # logs and the rest are for the owner only, too
        make_home(settings.home)
        held.enter_context(_alone(settings.home))
        # Where the run before was killed, its processes may still be ending.
        was_killed = PartList(settings.home).is_there()
        check_port(settings.host, settings.port, wait_s_max=_PORT_S_MAX if was_killed else 0.0)
        is_new = not is_prepared(settings)
        made = prepare(settings)
        if made is not None:
            say(f"first start: made agency `example`, its people and keys in {settings.home}")
        elif is_new:
            say(STORE_IN_USE)
        say_room(settings, say)
        redis = None if settings.redis_url else plan_redis(settings.home)
        if redis is not None and redis.made_folder is not None:
            held.callback(shutil.rmtree, redis.made_folder, ignore_errors=True)
        counters = held.enter_context(counter_folder(settings.home))
        parts = _plan_parts(settings, redis, counters)
        client = connect(redis.url) if redis is not None else None
        try:
            return _run(settings, parts, Oversight(settings, parts, client, say), stop, say)
        finally:
            _stop_all(settings, parts, say)


def ready(url: str, *, wait_s_max: float, stop: threading.Event | None = None) -> bool:
    """
    Wait until the service at *url* answers `/healthz`.

    False if it does not in time, or *stop* is set.
    """
    end = time.monotonic() + wait_s_max
    while time.monotonic() < end and not (stop is not None and stop.is_set()):
        try:
            with urllib.request.urlopen(f"{url}/healthz", timeout=1) as answer:  # noqa: S310  our own
                if answer.status == 200:
                    return True
        except (OSError, http.client.HTTPException):  # one that dies may answer half
            time.sleep(0.03)
    return False


def check_port(host: str, port: int, *, wait_s_max: float = 0.0) -> None:
    """
    See that nobody listens on the port, or wait until nobody does.

    Raises:
        SettingsError: somebody does, or the address is not this machine's.
    """
    end = time.monotonic() + wait_s_max
    while _is_taken(host, port):
        if time.monotonic() >= end:
            raise SettingsError(
                f"port {port} is taken: choose another with PORT={_other(port)} make run"
            )
        time.sleep(_LOOK_S)


def _is_taken(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as trial:
        # As the server will: a connection of the run before that is still closing does not count.
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except PermissionError as error:
            raise SettingsError(
                f"port {port} needs rights that this user lacks:"
                " choose one above 1023 with PORT=8001"
            ) from error
        except OverflowError as error:
            raise SettingsError(f"port {port} is none: choose one from 1024 to 65535") from error
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return True
            raise SettingsError(
                f"cannot listen on `{host}` ({error.strerror}): set CRISIS_ROUTER_HOST"
            ) from error
    return False


def granian_command(settings: Settings) -> list[str]:
    """
    Give the command that runs the processes that answer calls, this Python first.
    """
    kill_s = max(1, int(settings.stop_s_max) - 1)  # before we lose patience with granian itself
    flags = "--interface wsgi --factory service.app:create_app --no-ws --log-level warning --host"
    flags += f" {settings.host} --port {settings.port} --workers {settings.api_processes}"
    flags += f" --blocking-threads {settings.api_threads} --workers-kill-timeout {kill_s}"
    # Without these one dead worker stops the whole server.
    flags += " --respawn-failed-workers --respawn-interval 0.5"
    return [sys.executable, "-m", "granian", *flags.split()]


def _run(
    settings: Settings,
    parts: dict[str, ChildProcess],
    oversight: Oversight,
    stop: threading.Event,
    say: Say,
) -> int:
    # Redis is not waited for: calls are answered without it.
    for name in ("redis", "api"):
        if name in parts and not stop.is_set():
            parts[name].start()
    url = _url(settings)
    answers = ready(url, wait_s_max=_ANSWER_S_MAX, stop=stop)
    for name in ("shipper", "worker", "beat"):
        if not stop.is_set():
            parts[name].start()
    if not answers and not stop.is_set():
        say(f"{url} does not answer yet: see the lines above, and {settings.home / 'logs'}")
    part_list = PartList(settings.home)
    is_welcomed = False
    while not stop.is_set():
        part_list.show({name: part.pid for name, part in parts.items() if part.pid is not None})
        if not is_welcomed and (answers or ready(url, wait_s_max=_LOOK_S, stop=stop)):
            is_welcomed = True
            for line in _welcome(settings, url):
                say(line)
        stop.wait(_LOOK_S)
        if not stop.is_set():
            oversight.look()
    return 0


def _stop_all(settings: Settings, parts: dict[str, ChildProcess], say: Say) -> None:
    say("stopping")
    for name in STOP_ORDER:
        if name in parts and not parts[name].stop(settings.stop_s_max):
            say(f"{name} did not stop within {settings.stop_s_max:g} s and was ended")
    PartList(settings.home).remove()
    say("stopped")


def _plan_parts(
    settings: Settings, redis: PrivateRedis | None, counters: Path | None
) -> dict[str, ChildProcess]:
    logs = settings.home / "logs"
    logs.mkdir(mode=0o700, exist_ok=True)
    url = settings.redis_url if redis is None else redis.url
    environment = _environment(settings, url, counters)
    # Quiet: its greeting, where a full disk takes no line of it, would end it at once.
    python, celery = (sys.executable, "-m"), ("celery", "-q", "-A", "workers.celery_app")
    commands = {
        "api": tuple(granian_command(settings)),
        "shipper": (*python, "workers.shipper"),
        "worker": (
            *python,
            *celery,
            "worker",
            *_WORKER_FLAGS,
            *_QUIET_FLAGS,
            "-n",
            f"up-{os.getpid()}@%h",
        ),
        "beat": (
            *python,
            *celery,
            "beat",
            "-s",
            str(settings.home / "beat-schedule"),
            *_BEAT_FLAGS,
        ),
    }
    if redis is not None:
        commands = {"redis": redis.argv, **commands}
    return {
        name: ChildProcess(
            Plan(name, argv, environment, None if name == "api" else logs / f"{name}.log"),
            settings.log_bytes_max,
        )
        for name, argv in commands.items()
    }


def _environment(settings: Settings, redis_url: str, counters: Path | None) -> dict[str, str]:
    environment = dict(os.environ)
    for row in SETTINGS:
        environment[row.variable] = str(getattr(settings, row.name))
    environment["CRISIS_ROUTER_REDIS_URL"] = redis_url
    if counters is not None:
        environment[COUNTER_FOLDER] = str(counters)
    else:
        environment.pop(COUNTER_FOLDER, None)  # each process counts for itself alone
    path = environment.get("PYTHONPATH")
    environment["PYTHONPATH"] = f"{_ROOT}{os.pathsep}{path}" if path else str(_ROOT)
    if environment.pop("PYTHONDONTWRITEBYTECODE", None):
        # Compiling everything in five processes at every start takes many seconds; our home is a
        # fair place for the result where the programs' own folders are not to be written.
        environment["PYTHONPYCACHEPREFIX"] = str(settings.home / "bytecode")
    return environment


def _url(settings: Settings) -> str:
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104  read, not bound
    host = everywhere.get(settings.host, settings.host)
    return f"http://{host}:{settings.port}"


def say_room(settings: Settings, say: Say) -> None:
    """
    Say so where the disk of the home has less room than it should.
    """
    free = shutil.disk_usage(settings.home).free
    if free < settings.disk_free_bytes_min:
        say(
            f"the disk of {settings.home} has {free // 2**20:,} MiB left: calls are answered, and"
            " recorded only as long as there is room"
        )


def _welcome(settings: Settings, url: str) -> Iterator[str]:
    credentials = settings.home / CREDENTIALS
    key = "YOUR_KEY"
    if credentials.exists():
        # Read by the shell, so that no key stands in a terminal's history or a log.
        key = f'$(sed -n \'s/.*"dispatch_key": "\\([^"]*\\)".*/\\1/p\' \'{credentials}\')'
    body = (
        '{"call_id": "TRY-1", "facts": {"caller": "self", "suicide": "ideation", "weapon": "none"}}'
    )
    yield f"pages            {url}/"
    yield f"API description  {url}/docs  ({url}/v1/openapi.json)"
    if credentials.exists():
        yield f"credentials      {credentials}"
    yield "first call       " + (
        f'curl -s {url}/v1/decisions -H "Authorization: Bearer {key}"'
        f" -H 'Content-Type: application/json' -d '{body}'"
    )


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    path = home / "up.lock"
    with path.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise SettingsError(
                f"`{home}` is in use by process {lock.read().strip() or 'unknown'}: stop that one,"
                " or choose another folder with CRISIS_ROUTER_HOME=/folder"
            ) from error
        lock.truncate(0)
        with suppress(OSError):  # a full disk must not keep us from starting
            os.write(lock.fileno(), str(os.getpid()).encode())
        yield


@contextmanager
def _until_signal(stop: threading.Event) -> Iterator[None]:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [(number, signal.signal(number, lambda *_: stop.set())) for number in numbers]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def _other(port: int) -> int:
    return port + 1 if port < 65535 else 8000
