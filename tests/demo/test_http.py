"""
The demo over HTTP.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from service.demo import (
    http_ask,
)
from service.errors import CrisisRouterError
from tests.demo.makers import answer


@dataclass
class FakeService:
    """
    A service on a free port that answers with what it is given, and keeps what it was asked.
    """

    base_url: str
    answers: list[tuple[int, bytes]]
    asked: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)
    connections: set[Any] = field(default_factory=set)
    hangs_up: bool = False


@contextmanager
def fake_service(*answers: tuple[int, Any], hangs_up: bool = False) -> Iterator[FakeService]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            service.asked.append((self.path, dict(self.headers), body))
            service.connections.add(self.client_address)
            if service.hangs_up:
                service.hangs_up = False
                self.close_connection = True
                return
            status, content = service.answers.pop(0)
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        texts = [
            (status, content if isinstance(content, bytes) else json.dumps(content).encode())
            for status, content in answers
        ]
        service = FakeService(f"http://127.0.0.1:{server.server_port}", texts, hangs_up=hangs_up)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield service
        finally:
            server.shutdown()
            thread.join()


def test_calls_go_over_one_connection_with_the_key() -> None:
    """
    Two calls are posted over one connection, with the key, each under an idempotency key of its
    own.
    """
    with fake_service((201, answer("988")), (200, answer("ems"))) as service:
        ask = http_ask(service.base_url, "secret")
        answers = [ask({"call_id": "SEA-1"}), ask({"call_id": "SEA-2"})]

    assert [answer("988"), answer("ems")] == answers
    assert ["/v1/decisions"] * 2 == [path for path, _, _ in service.asked]
    assert {"Bearer secret"} == {headers["Authorization"] for _, headers, _ in service.asked}
    assert 2 == len({headers["Idempotency-Key"] for _, headers, _ in service.asked})
    assert 1 == len(service.connections)


def test_a_lost_connection_repeats_the_same_call_once() -> None:
    """
    A call whose connection was lost is repeated under the same idempotency key, so it counts once.
    """
    with fake_service((201, answer("988")), hangs_up=True) as service:
        assert answer("988") == http_ask(service.base_url, "secret")({"call_id": "SEA-1"})

    keys = [headers["Idempotency-Key"] for _, headers, _ in service.asked]
    assert 2 == len(keys)
    assert 1 == len(set(keys))


def test_an_unrecorded_recommendation_is_still_one() -> None:
    """
    A 503 that carries a recommendation is read like any other answer.
    """
    unrecorded = {**answer("mobile_crisis"), "recorded": False}
    with fake_service((503, unrecorded)) as service:
        assert unrecorded == http_ask(service.base_url, "secret")({"call_id": "SEA-1"})


@pytest.mark.parametrize(
    ("status", "content", "expected"),
    [
        (401, {"detail": "no"}, "does not accept the key (401): take `dispatch_key`"),
        (403, b"", "does not accept the key (403)"),
        (
            422,
            {"detail": "the body has faults", "errors": [{"path": "call_id", "message": "long"}]},
            "answered 422: the body has faults; call_id: long",
        ),
        (503, {"title": "Service Unavailable"}, "answered 503: Service Unavailable"),
        (201, b"<html>", "answered 201 with something that is no JSON"),
        (201, [], "answered 201 with something that is no JSON"),
    ],
)
def test_a_refusal_is_one_clear_line(status: int, content: Any, expected: str) -> None:
    """
    Whatever the service refuses with becomes one line that says what it was.
    """
    with fake_service((status, content)) as service:
        ask = http_ask(service.base_url, "secret")
        with pytest.raises(CrisisRouterError) as fault:
            ask({"call_id": "SEA-1"})

    assert expected in str(fault.value)
    assert "\n" not in str(fault.value)


def test_a_service_that_is_not_running_is_said_in_one_line() -> None:
    """
    Where nobody listens, the error says so and how to start the service.
    """
    with fake_service() as service:
        base_url = service.base_url

    with pytest.raises(CrisisRouterError) as fault:
        http_ask(base_url, "secret")({"call_id": "SEA-1"})

    assert f"nothing answers at `{base_url}`: start the service with `make run`" == str(fault.value)


@pytest.mark.parametrize("base_url", ["", "127.0.0.1:8000", "ftp://a", "http://", "http://a:99999"])
def test_an_address_that_is_none_is_refused_before_the_first_call(base_url: str) -> None:
    """
    What is no HTTP address is refused when it is given, with an example of one.
    """
    with pytest.raises(CrisisRouterError, match="such as `http://127.0.0.1:8000`"):
        http_ask(base_url, "secret")
