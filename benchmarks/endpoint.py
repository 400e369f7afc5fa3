"""
The durable endpoint, and the same on a trial journal, against a bare Flask view: the same server,
the same requests, the same load, in turns.

All servers run all the time and one is under load at a time. The load is a second process on the
same machine, so it takes its share of the processor from each; the table shows how much.
"""

import itertools
import multiprocessing
import os
import random
import socket
import statistics
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace

from benchmarks.calls import CODE, KINDS, NUMBER, REMARK, bodies
from benchmarks.home import fresh_home
from benchmarks.load import Load, Loaded, die_with_parent, put_load
from benchmarks.parts import child
from benchmarks.table import number, show
from service.errors import CrisisRouterError
from service.host.supervise import granian_command, ready
from service.rulesets import load_config
from service.settings import Settings

CONNECTIONS = (1, 32)
START_S_MAX = 30.0
LOAD_S_MORE_MAX = 30.0  # how much longer than planned a load may take
BODIES, SEED = 2_000, 20261129
BARE, DURABLE = "bare Flask view", "durable endpoint"
FLAT = "the same on a file of our own form"
TARGETS = {CODE: 0.25, REMARK: 0.2}
Case = tuple[str, str, int]  # which server, which kind of body, how many connections


@dataclass(frozen=True, slots=True)
class Turns:
    """
    How many rounds, and how long each load lasts in seconds.
    """

    rounds: int
    seconds: float


FULL, QUICK = Turns(rounds=7, seconds=1.2), Turns(rounds=2, seconds=0.3)


def measure_endpoint(*, quick: bool) -> None:
    """
    Start all servers, put load on each in turn, and print the tables.
    """
    turns = QUICK if quick else FULL
    ports = {name: _free_port() for name in (BARE, DURABLE, FLAT)}
    with (
        fresh_home(PORT=str(ports[DURABLE])) as (settings, credentials),
        fresh_home(PORT=str(ports[FLAT])) as (flat, flat_credentials),
        _server(DURABLE, "service.app", settings, settings.api_processes),
        _server(FLAT, "benchmarks.flat_journal", flat, settings.api_processes),
        _server(BARE, "benchmarks.bare", replace(settings, port=ports[BARE]), 0),
        _load_process() as pool,
    ):
        loads = {
            (name, kind): Load(port, secret, _bodies(kind), 0, 1, turns.seconds)
            for kind in KINDS
            for name, port, secret in (
                (BARE, ports[BARE], "none"),
                (DURABLE, ports[DURABLE], credentials.dispatch_key),
                (FLAT, ports[FLAT], flat_credentials.dispatch_key),
            )
        }
        seen = _take_turns(loads, turns, pool)
    for kind in KINDS:
        _show(kind, seen, settings, turns)


def _take_turns(
    loads: Mapping[tuple[str, str], Load], turns: Turns, pool: ProcessPoolExecutor
) -> dict[Case, list[Loaded]]:
    """
    Put each load on all servers, every other round in the other order; the first round only warms
    up.
    """
    numbers = itertools.count(step=1_000_000)
    cases = [
        (name, kind, connections)
        for kind in KINDS
        for connections in CONNECTIONS
        for name in (BARE, DURABLE, FLAT)
    ]
    seen: dict[Case, list[Loaded]] = {case: [] for case in cases}
    for place in range(turns.rounds + 1):
        for name, kind, connections in cases if place % 2 else reversed(cases):
            load = replace(loads[name, kind], first_number=next(numbers), connections=connections)
            loaded = pool.submit(put_load, load).result(turns.seconds + LOAD_S_MORE_MAX)
            if loaded.refused:
                statuses = ", ".join(sorted(set(loaded.refused)))
                raise CrisisRouterError(f"{name}: answered with {statuses}")
            if place:
                seen[name, kind, connections].append(loaded)
    return seen


def _bodies(kind: str) -> tuple[tuple[bytes, bytes], ...]:
    """
    Give many different requests, each as what stands before and after the number that makes its
    call id unique.
    """
    made = bodies(load_config().vocabulary, random.Random(SEED), kind, BODIES)  # not a secret
    parted = [body.partition(NUMBER.encode()) for body in made]
    return tuple((before, after) for before, _, after in parted)


@contextmanager
def _server(name: str, module: str, settings: Settings, announced: int) -> Iterator[None]:
    """
    Run a server that ends with us, and wait until it answers, with all of the processes that it
    announces.
    """
    metrics = settings.home / f"metrics-{module}"
    metrics.mkdir(mode=0o700)
    command = tuple(
        word.replace("service.app:", f"{module}:") for word in granian_command(settings)
    )
    url = f"http://{settings.host}:{settings.port}"
    more = {"PROMETHEUS_MULTIPROC_DIR": str(metrics)}
    # A disk that stalls is to be seen in the figures, not as a refusal.
    more["CRISIS_ROUTER_JOURNAL_WAIT_S_MAX"] = "10"
    with child(module, command, settings, **more) as log:
        end = time.monotonic() + START_S_MAX
        while not ready(url, wait_s_max=1) or _announced(settings) < announced:
            if time.monotonic() > end:
                raise CrisisRouterError(f"{name}: does not answer: {log.read_text()[-2000:]}")
            time.sleep(0.05)
        yield


def _announced(settings: Settings) -> int:
    return len(list((settings.home / "run").glob("api-*.json")))


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


def _show(kind: str, seen: Mapping[Case, list[Loaded]], settings: Settings, turns: Turns) -> None:
    rows = []
    for connections in CONNECTIONS:
        floors = seen[BARE, kind, connections]
        for name in (BARE, DURABLE, FLAT):
            loads = seen[name, kind, connections]
            pairs = list(zip(loads, floors, strict=True))
            ratios = [
                statistics.median(mine.per_s / floor.per_s for mine, floor in pairs),
                statistics.median(mine.p99_ms / floor.p99_ms for mine, floor in pairs),
            ]
            middle = [
                statistics.median(getattr(one, field) for one in loads)
                for field in ("per_s", "p50_ms", "p99_ms")
            ]
            share = statistics.median(one.own_share for one in loads)
            cells = [str(connections), *(f"{one:.2f}" for one in ratios), *map(number, middle)]
            rows.append([name, *cells, f"{100 * share:.0f} %"])
    title = (
        f"POST /v1/decisions, {kind}: granian with {settings.api_processes} processes x"
        f" {settings.api_threads} threads, {turns.rounds} rounds of {turns.seconds:g} s for each"
    )
    header = ["", "conn.", "x of bare", "p99 x", "requests/s", "p50 ms", "p99 ms", "load's core"]
    show(title, header, rows)
    for target_kind, target in TARGETS.items():
        if kind == target_kind:
            found = [
                statistics.median(
                    mine.per_s / floor.per_s
                    for mine, floor in zip(
                        seen[DURABLE, kind, one], seen[BARE, kind, one], strict=True
                    )
                )
                for one in CONNECTIONS
            ]
            verdict = "met" if min(found) >= target else "NOT met"
            print(f"  target: {target:g}x of bare: {verdict}")
