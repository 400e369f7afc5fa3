"""
The load: a second process that keeps some connections to 127.0.0.1 busy for a while, and says what
it saw.

Each connection sends a request, waits for the whole answer, and sends the next. Requests are made
of bytes and answers are only cut, because a client that took its time would measure itself.
"""

import ctypes
import os
import re
import selectors
import signal
import socket
import statistics
import sys
import time
from dataclasses import dataclass, field

ADDRESS = "127.0.0.1"
REQUESTS_MAX = 200_000
WAIT_S_MAX = 10.0
ANSWER_BYTES_MAX = 1 << 20
ANSWERS_MIN = 2  # fewer have no quantiles
PR_SET_PDEATHSIG = 1
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Load:
    """
    What to send, on how many connections and for how long: `bodies` in turn, each as what stands
    before and after a number, counted from `first_number`, that makes its call id unique.
    """

    port: int
    secret: str = field(repr=False)
    bodies: tuple[tuple[bytes, bytes], ...]
    first_number: int
    connections: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Loaded:
    """
    What came back: answers for each second, latencies in milliseconds, how much of one core the
    load took itself, how many requests were sent, and the status of every answer that was not a
    201.
    """

    per_s: float
    p50_ms: float
    p99_ms: float
    own_share: float
    sent: int
    refused: tuple[str, ...]


@dataclass(slots=True, eq=False)
class _Connection:
    """
    One connection, the time at which its request left, and what has come back of the answer.
    """

    socket: socket.socket
    began_ns: int = 0
    buffer: bytearray = field(default_factory=bytearray)
    size: int = -1  # of the whole answer in bytes; -1 until its head is there


def die_with_parent(parent: int) -> None:
    """
    End this process when its parent ends, however it ends. Linux only.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


def put_load(load: Load) -> Loaded:
    """
    Keep the connections busy for `load.seconds`, then wait for what is under way.

    Raises:
        OSError: the server is not there, closes a connection, or does not answer in time.
    """
    selector = selectors.DefaultSelector()
    connections = [_connect(load.port) for _ in range(load.connections)]
    try:
        for one in connections:
            selector.register(one.socket, selectors.EVENT_READ, one)
        return _run(load, selector, connections)
    finally:
        selector.close()
        for one in connections:
            one.socket.close()


def _connect(port: int) -> _Connection:
    made = socket.create_connection((ADDRESS, port), timeout=WAIT_S_MAX)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return _Connection(made)


def _run(load: Load, selector: selectors.BaseSelector, connections: list[_Connection]) -> Loaded:
    latencies_ns: list[int] = []
    refused: list[str] = []
    sent, busy = 0, 0
    began, began_cpu = time.perf_counter_ns(), time.process_time_ns()
    end = began + int(load.seconds * 1e9)
    for one in connections:
        _send(one, _request(load, sent))
        sent, busy = sent + 1, busy + 1
    while busy:
        ready = selector.select(WAIT_S_MAX)
        if not ready:
            raise TimeoutError(f"no answer for {WAIT_S_MAX:g} s")
        for key, _ in ready:
            status = _receive(key.data)
            if status is None:
                continue
            now, busy = time.perf_counter_ns(), busy - 1
            if now <= end:
                latencies_ns.append(now - key.data.began_ns)
            if status != "201":
                refused.append(status)
            if now < end and sent < REQUESTS_MAX:
                _send(key.data, _request(load, sent))
                sent, busy = sent + 1, busy + 1
    if len(latencies_ns) < ANSWERS_MIN:
        raise TimeoutError(f"only {len(latencies_ns)} answers in {load.seconds:g} s")
    spent_ns = time.perf_counter_ns() - began
    own_share = (time.process_time_ns() - began_cpu) / spent_ns
    cuts = statistics.quantiles([one / 1e6 for one in latencies_ns], n=100)
    per_s = len(latencies_ns) / load.seconds
    return Loaded(per_s, cuts[49], cuts[98], own_share, sent, tuple(refused))


def _request(load: Load, place: int) -> bytes:
    before, after = load.bodies[place % len(load.bodies)]
    body = b"%s%012d%s" % (before, load.first_number + place, after)
    head = (
        f"POST /v1/decisions HTTP/1.1\r\nHost: {ADDRESS}:{load.port}\r\n"
        f"Authorization: Bearer {load.secret}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _send(one: _Connection, request: bytes) -> None:
    one.began_ns = time.perf_counter_ns()
    one.socket.sendall(request)


def _receive(one: _Connection) -> str | None:
    """
    Take what has come; gives the status once the answer is whole, else None.
    """
    piece = one.socket.recv(65_536)
    if not piece:
        raise ConnectionError("the server closed a connection")
    one.buffer += piece
    if one.size < 0:
        head_end = one.buffer.find(b"\r\n\r\n")
        if head_end < 0:
            return None
        length = LENGTH.search(one.buffer, 0, head_end)
        if length is None or int(length[1]) > ANSWER_BYTES_MAX:
            raise ConnectionError("an answer without a length that will do")
        one.size = head_end + 4 + int(length[1])
    if len(one.buffer) < one.size:
        return None
    status = one.buffer[9:12].decode()
    one.buffer.clear()
    one.size = -1
    return status
