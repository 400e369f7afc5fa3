"""
The answers of the demo: asks a running service about one call after the other, and keeps what it
said.

It must not wait without limit, nor read more into an answer than stands in it.
"""

import http.client
import itertools
import json
import secrets
import time
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

from service.demo.calls import SeattleCall, request_of
from service.errors import CrisisRouterError

Ask = Callable[[dict[str, Any]], dict[str, Any]]
OnProgress = Callable[[int, int, float], None]

PROGRESS_EVERY_CALLS = 50
ANSWER_WAIT_S_MAX = 2.0
ANSWER_BYTES_MAX = 1_048_576

# The kinds in the order in which they are read out, most coercive first.
WORDS = {
    "law_enforcement": "police",
    "co_responder": "co-responder",
    "mobile_crisis": "mobile crisis",
    "988": "988",
    "warm_line": "warm line",
    "ems": "EMS",
}
NOTHING_SAID = "(no recommendation)"


@dataclass(frozen=True, slots=True)
class Replayed:
    """
    One call and what the service answered. A field that an answer lacks is read as empty.
    """

    call: SeattleCall
    answer: dict[str, Any]

    @property
    def kinds(self) -> tuple[str, ...]:
        """
        Give the kinds of responders that were recommended, most coercive first; unknown kinds last.
        """
        found = {str(one.get("kind")) for one in self._recommendation.get("responders") or ()}
        known = [kind for kind in WORDS if kind in found]
        return (*known, *sorted(found - WORDS.keys()))

    @property
    def responders(self) -> str:
        """
        Give the same in words.
        """
        return " + ".join(WORDS.get(kind, kind) for kind in self.kinds) or NOTHING_SAID

    @property
    def is_provisional(self) -> bool:
        """
        Tell whether an unanswered question could change the answer.
        """
        return self._recommendation.get("provisional") is True

    @property
    def asks_first(self) -> bool:
        """
        Tell whether the answer came with a question.
        """
        return bool(self.answer.get("ask_next"))

    @property
    def said_by_type(self) -> frozenset[tuple[str, str]]:
        """
        Give what the router read from the call type: facts, each with its value.
        """
        return frozenset(
            (str(signal.get("fact")), str(signal.get("value")))
            for signal in self.answer.get("signals") or ()
            if signal.get("source") == "incident_type"
        )

    @property
    def warnings(self) -> tuple[str, ...]:
        """
        Give the warnings that came with the answer, in words.
        """
        return tuple(
            str(one.get("message")) if isinstance(one, dict) else str(one)
            for one in self.answer.get("warnings") or ()
        )

    @property
    def _recommendation(self) -> dict[str, Any]:
        return self.answer.get("recommendation") or {}


def replay(
    calls: Sequence[SeattleCall],
    ask: Ask,
    *,
    on_progress: OnProgress,
    clock: Callable[[], float] = time.perf_counter,
) -> tuple[Replayed, ...]:
    """
    Ask about each of *calls*, one after the other, and keep what was answered.

    Args:
        calls: In the order in which they are asked.
        ask: Posts one request, and returns the answer.
        on_progress: Gets (done, total, calls per second), now and then and after the last call.
        clock: Seconds, from any start.
    """
    started = clock()
    replayed = []
    for done, call in enumerate(calls, start=1):
        replayed.append(Replayed(call, ask(request_of(call))))
        if done % PROGRESS_EVERY_CALLS == 0 or done == len(calls):
            passed_s = clock() - started
            on_progress(done, len(calls), done / passed_s if passed_s > 0 else 0.0)
    return tuple(replayed)


def http_ask(base_url: str, key: str) -> Ask:
    """
    Make a function that posts one call to the service at *base_url*, over one open connection.

    A repeat after a lost connection carries the same `Idempotency-Key`, so no call is counted
    twice; another run has other keys, so it is answered anew and not from what the first run
    recorded.

    Raises:
        CrisisRouterError: here, where the address is none; later, where nobody answers or the
            answer is an error.
    """
    address = _address(base_url)
    make = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
    connection = make(address.hostname or "", address.port, timeout=ANSWER_WAIT_S_MAX)
    path = f"{address.path.rstrip('/')}/v1/decisions"
    run = secrets.token_hex(8)
    numbers = itertools.count(1)

    def ask(request: dict[str, Any]) -> dict[str, Any]:
        headers = {
            "Authorization": f"Bearer {key.strip()}",
            "Content-Type": "application/json",
            "Idempotency-Key": f"demo-{run}-{next(numbers)}",
        }
        body = json.dumps(request).encode()
        try:
            status, text = _post(connection, path, body, headers)
        except ConnectionRefusedError as error:
            raise CrisisRouterError(
                f"nothing answers at `{base_url}`: start the service with `make run`"
            ) from error
        except TimeoutError as error:
            raise CrisisRouterError(
                f"`{base_url}` did not answer within {ANSWER_WAIT_S_MAX:g} s"
            ) from error
        except (OSError, http.client.HTTPException) as error:
            raise CrisisRouterError(f"`{base_url}` cannot be reached: {error}") from error
        return _answer(status, text, base_url)

    # Whoever asks has nothing to close: the connection ends with the last use of the function.
    weakref.finalize(ask, connection.close)
    return ask


def _address(base_url: str) -> SplitResult:
    """
    Take *base_url* apart.
    """
    try:
        address = urlsplit(base_url)
        is_complete = address.scheme in ("http", "https") and bool(address.hostname)
        is_complete = is_complete and address.port != 0
    except ValueError:
        is_complete = False
    if not is_complete:
        raise CrisisRouterError(
            f"`{base_url}` is no address of a service, such as `http://127.0.0.1:8000`"
        )
    return address


def _post(
    connection: http.client.HTTPConnection, path: str, body: bytes, headers: dict[str, str]
) -> tuple[int, bytes]:
    """
    Post *body* and read the answer, once more where the service closed an idle connection.
    """
    for attempt in (1, 2):
        try:
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
            text = response.read(ANSWER_BYTES_MAX + 1)
            if len(text) > ANSWER_BYTES_MAX:
                connection.close()
                raise http.client.HTTPException("the answer is too long")
            return response.status, text
        except ConnectionRefusedError:
            raise
        except ConnectionError:
            connection.close()
            if attempt == 2:
                raise
        except OSError:
            connection.close()
            raise
    raise AssertionError("the second attempt returns or raises")


def _answer(status: int, text: bytes, base_url: str) -> dict[str, Any]:
    """
    Give the answer, or say in one line why there is none.
    """
    try:
        answer = json.loads(text)
    except ValueError:
        answer = None
    if status in (401, 403):
        raise CrisisRouterError(
            f"`{base_url}` does not accept the key ({status}): "
            "take `dispatch_key` of `credentials.json`"
        )
    if not isinstance(answer, dict):
        raise CrisisRouterError(f"`{base_url}` answered {status} with something that is no JSON")
    # A 503 carries the recommendation too, where it could not be recorded.
    if status not in (200, 201) and "recommendation" not in answer:
        faults = [f"{one.get('path')}: {one.get('message')}" for one in answer.get("errors") or ()]
        reason = "; ".join([str(answer.get("detail") or answer.get("title")), *faults])
        raise CrisisRouterError(f"`{base_url}` answered {status}: {reason}")
    return answer
