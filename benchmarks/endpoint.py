"""
The durable endpoint against a bare Flask view: the same server, the same requests, the same load,
in turns.

Both servers run all the time and one is under load at a time. The load is a second process on the
same machine, so it takes its share of the processor from both; the table shows how much.
"""

import itertools
import multiprocessing
import os
import socket
import statistics
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import orjson

from benchmarks.calls import requests
from benchmarks.home import fresh_home
from benchmarks.load import Load, Loaded, die_with_parent, put_load
from benchmarks.table import number, show
from service.errors import CrisisRouterError
from service.host.child_process import ChildProcess, Plan
from service.host.supervise import granian_command, ready
from service.settings import Settings

CONNECTIONS = (1, 32)
START_S_MAX, STOP_S_MAX = 20.0, 5.0
LOAD_S_MORE_MAX = 30.0  # how much longer than planned a load may take
LOG_BYTES_MAX = 1 << 20
ROOT = Path(__file__).resolve().parent.parent
NUMBER = "@@@"


@dataclass(frozen=True, slots=True)
class Turns:
    """
    How many rounds, and how long each load lasts in seconds.
    """

    rounds: int
    seconds: float


FULL, QUICK = Turns(rounds=7, seconds=1.5), Turns(rounds=2, seconds=0.3)


@dataclass(frozen=True, slots=True)
class Contest:
    """
    Where both servers listen, and what the load sends to each of them.
    """

    ports: Mapping[str, int]
    load: Load
    numbers: Iterator[int]


def measure_endpoint(*, quick: bool) -> None:
    """
    Start both servers, put load on each in turn, and print the table.
    """
    turns = QUICK if quick else FULL
    ports = {"bare": _free_port(), "durable": _free_port()}
    with fresh_home(PORT=str(ports["durable"])) as (settings, credentials):
        load = Load(0, credentials.dispatch_key, _bodies(), 0, 1, turns.seconds)
        contest = Contest(ports, load, itertools.count(step=1_000_000))
        bare_settings = replace(settings, port=ports["bare"])
        bare_command = [
            word.replace("service.app:", "benchmarks.bare:")
            for word in granian_command(bare_settings)
        ]
        with (
            _server("durable", granian_command(settings), settings),
            _server("bare", bare_command, bare_settings),
            _load_process() as pool,
        ):
            seen = _take_turns(contest, turns, pool)
    _show(seen, settings, turns)


def _take_turns(
    contest: Contest, turns: Turns, pool: ProcessPoolExecutor
) -> dict[tuple[str, int], list[Loaded]]:
    """
    Put each load on both servers, every other round in the other order; the first round only warms
    up.
    """
    pairs = [(name, connections) for connections in CONNECTIONS for name in ("bare", "durable")]
    seen: dict[tuple[str, int], list[Loaded]] = {pair: [] for pair in pairs}
    for place in range(turns.rounds + 1):
        for name, connections in pairs if place % 2 else reversed(pairs):
            load = replace(
                contest.load,
                port=contest.ports[name],
                first_number=next(contest.numbers),
                connections=connections,
            )
            loaded = pool.submit(put_load, load).result(turns.seconds + LOAD_S_MORE_MAX)
            if loaded.refused:
                statuses = ", ".join(sorted(set(loaded.refused)))
                raise CrisisRouterError(f"the {name} endpoint answered with {statuses}")
            if place:
                seen[name, connections].append(loaded)
    return seen


def _bodies() -> tuple[tuple[bytes, bytes], ...]:
    """
    Give every request as what stands before and after the number that makes its call id unique.
    """
    bodies = []
    for request in requests():
        text = orjson.dumps({**request, "call_id": f"BENCHMARK-{NUMBER}"})
        before, _, after = text.partition(NUMBER.encode())
        bodies.append((before, after))
    return tuple(bodies)


@contextmanager
def _server(name: str, command: list[str], settings: Settings) -> Iterator[None]:
    """
    Run a server that ends with us, and wait until it answers.
    """
    metrics = settings.home / f"metrics-{name}"
    metrics.mkdir(mode=0o700)
    environment = {
        **os.environ,
        "CRISIS_ROUTER_HOME": str(settings.home),
        "PROMETHEUS_MULTIPROC_DIR": str(metrics),
        "PYTHONPATH": str(ROOT),
    }
    log = settings.home / f"{name}.log"
    child = ChildProcess(Plan(name, tuple(command), environment, log), LOG_BYTES_MAX)
    child.start()
    try:
        if not ready(f"http://{settings.host}:{settings.port}", wait_s_max=START_S_MAX):
            raise CrisisRouterError(f"the {name} server does not answer: {log.read_text()[-2000:]}")
        yield
    finally:
        child.stop(STOP_S_MAX)


@contextmanager
def _load_process() -> Iterator[ProcessPoolExecutor]:
    # A fresh interpreter: a fork of this process would share its threads' locks.
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, spawn, die_with_parent, (os.getpid(),)) as pool:
        yield pool


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _show(seen: Mapping[tuple[str, int], list[Loaded]], settings: Settings, turns: Turns) -> None:
    rows = []
    for connections in CONNECTIONS:
        bare, durable = seen["bare", connections], seen["durable", connections]
        ratio = statistics.median(
            mine.per_s / floor.per_s for mine, floor in zip(durable, bare, strict=True)
        )
        for name, loads in (("bare Flask view", bare), ("durable endpoint", durable)):
            middle = [
                statistics.median(getattr(one, field) for one in loads)
                for field in ("per_s", "p50_ms", "p99_ms")
            ]
            share = statistics.median(one.own_share for one in loads)
            shown = f"{ratio:.2f}" if loads is durable else "1.00"
            cells = [str(connections), shown, *map(number, middle), f"{100 * share:.0f} %"]
            rows.append([name, *cells])
    title = (
        f"POST /v1/decisions, granian with {settings.api_processes} processes x"
        f" {settings.api_threads} threads, {turns.rounds} rounds of {turns.seconds:g} s for each"
    )
    header = ["", "connections", "x of bare", "requests/s", "p50 ms", "p99 ms", "load's core"]
    show(title, header, rows)
