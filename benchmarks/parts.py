"""
Runs parts of the service beside a benchmark: a private Redis, a worker, a shipper.
"""

import os
import secrets
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from redis import Redis
from redis.exceptions import RedisError

from service.errors import CrisisRouterError
from service.host.child_process import ChildProcess, Plan
from service.host.private_redis import plan_redis
from service.settings import Settings
from tests.servers import start_postgres

ROOT = Path(__file__).resolve().parent.parent
LOG_BYTES_MAX = 1 << 20
STOP_S_MAX = 5.0
READY_S_MAX = 10.0


@contextmanager
def child(name: str, argv: tuple[str, ...], settings: Settings, **more: str) -> Iterator[Path]:
    """
    Run a program with the home of *settings* that ends with us; gives its log.
    """
    environment = {
        **os.environ,
        "CRISIS_ROUTER_HOME": str(settings.home),
        "PYTHONPATH": str(ROOT),
        **more,
    }
    log = settings.home / f"{name}.log"
    running = ChildProcess(Plan(name, argv, environment, log), LOG_BYTES_MAX)
    running.start()
    try:
        yield log
    finally:
        running.stop(STOP_S_MAX)


@contextmanager
def private_redis(settings: Settings) -> Iterator[str]:
    """
    Run a Redis as the service does, and give its address.
    """
    plan = plan_redis(settings.home)
    try:
        with child("redis", plan.argv, settings):
            _await(plan.socket)
            yield plan.url
    finally:
        if plan.made_folder is not None:
            shutil.rmtree(plan.made_folder, ignore_errors=True)


def _await(socket: Path) -> None:
    client = Redis(unix_socket_path=str(socket), socket_timeout=1)
    end = time.monotonic() + READY_S_MAX
    while time.monotonic() < end:
        try:
            client.ping()
        except RedisError:
            time.sleep(0.02)
        else:
            client.close()
            return
    raise CrisisRouterError("Redis does not answer")


@contextmanager
def worker(settings: Settings, **more: str) -> Iterator[Path]:
    """
    Run a worker as `crisis-router up` does.
    """
    argv = (sys.executable, "-m", "celery", "-A", "workers.celery_app", "worker", *WORKER_FLAGS)
    with child("worker", argv, settings, **more) as log:
        yield log


WORKER_FLAGS = (
    *("-P", "threads", "-c", "2", "-l", "warning"),
    *("--without-gossip", "--without-mingle", "--without-heartbeat"),
)


@contextmanager
def postgres() -> Iterator[None]:
    """
    Run a PostgreSQL that waits for its disk, and name it in `TEST_DATABASE_URL`; one that is named
    there already is used instead.
    """
    if "TEST_DATABASE_URL" in os.environ:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="crisis-router-benchmark-") as folder:
        server, url = start_postgres(Path(folder), settings=())
        os.environ["TEST_DATABASE_URL"] = url
        try:
            yield
        finally:
            del os.environ["TEST_DATABASE_URL"]
            server.stop(signal.SIGINT)  # the orderly end that does not wait for sessions


@contextmanager
def database(server: str) -> Iterator[str]:
    """
    Make a database on a PostgreSQL server, and give its address; it is gone after the block.
    """
    name = f"benchmark_{secrets.token_hex(4)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    try:
        yield f"{server.rsplit('/', 1)[0]}/{name}"
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
