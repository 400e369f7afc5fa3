"""
The load: several connections that ask for decisions and report dispatches, and remember every
answer.
"""

import http.client
import json
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

REMARK = "Caller says he has not slept for three days and speaks of ending it."
_PACE_S = 0.08  # between the calls of a connection: a busy floor, and not more than a store takes
_PAUSE_S = 0.05  # after a failure, so that a service that is away is not stormed


@dataclass(slots=True)
class Told:
    """
    What was answered: ids with their call, the 503s and the failures, the longest silence, and the
    longest time in which one connection, so one process, got nothing but refusals.
    """

    decisions: dict[str, tuple[str, int]] = field(default_factory=dict)  # call and revision
    dispatches: dict[str, str] = field(default_factory=dict)
    contradictions: list[str] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    failed: int = 0
    longest_silence_s: float = 0.0
    longest_refusal_s: float = 0.0
    answered_at: float = field(default_factory=time.monotonic)

    def end_silence(self) -> None:
        """
        Count the silence that lasts until now; `answered_at` begins anew.
        """
        now = time.monotonic()
        self.longest_silence_s = max(self.longest_silence_s, now - self.answered_at)
        self.answered_at = now

    @property
    def answered(self) -> int:
        """
        Give how many requests were answered as recorded.
        """
        return len(self.decisions) + len(self.dispatches)


class Load:
    """
    Run the connections from `start` until `stop`; `told` may be read at any time.
    """

    def __init__(self, url: str, key: str, *, seed: int, connections: int = 8) -> None:
        self.told = Told()
        self._address = url.removeprefix("http://")
        self._key = key
        self.may_refuse = threading.Event()  # set while the disk is full: refusing is right then
        self._refused_since: dict[int, float] = {}
        self._stopping = threading.Event()
        self._guard = threading.Lock()
        self._threads = [
            threading.Thread(target=self._run, args=(f"{seed}-{number}",), daemon=True)
            for number in range(connections)
        ]

    def start(self) -> None:
        """
        Begin.
        """
        self.told.answered_at = time.monotonic()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """
        End, after the requests that are on their way.
        """
        self._stopping.set()
        for thread in self._threads:
            thread.join(30)
        self.told.end_silence()

    def _run(self, name: str) -> None:
        chance = random.Random(name)
        connection = http.client.HTTPConnection(self._address, timeout=20)
        count = 0
        while not self._stopping.is_set():
            count += 1
            call_id = f"F-{name}-{count}"
            try:
                self._call(connection, chance, call_id)
                self._stopping.wait(_PACE_S)
            except (OSError, http.client.HTTPException, ValueError):
                with self._guard:
                    self.told.failed += 1
                    self._refused_since.pop(threading.get_ident(), None)
                connection.close()
                self._stopping.wait(_PAUSE_S)
        connection.close()

    def _call(
        self, connection: http.client.HTTPConnection, chance: random.Random, call_id: str
    ) -> None:
        facts = {"caller": "self", "suicide": "ideation", "weapon": "none"}
        body: dict[str, Any] = {"call_id": call_id, "facts": facts}
        if chance.random() < 0.3:
            body["remarks"] = REMARK
        idempotency = f"K-{call_id}" if chance.random() < 0.2 else None
        first = self._post(connection, "/v1/decisions", body, idempotency)
        if first is not None and idempotency:
            again = self._post(connection, "/v1/decisions", body, idempotency)
            if again is not None and again["decision_id"] != first["decision_id"]:
                self.told.contradictions.append(f"{call_id} told twice has two decisions")
        if first is not None and chance.random() < 0.1:
            second = self._post(connection, "/v1/decisions", body, None)
            if second is not None and second["revision"] <= first["revision"]:
                self.told.contradictions.append(f"{call_id} has a revision twice")
        if first is not None and chance.random() < 0.1:
            sent = [one["kind"] for one in first["recommendation"]["responders"]]
            path = f"/v1/decisions/{first['decision_id']}/dispatch"
            self._post(connection, path, {"responders": sent}, None)

    def _post(
        self,
        connection: http.client.HTTPConnection,
        path: str,
        body: dict[str, Any],
        idempotency: str | None,
    ) -> Any:
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        if idempotency:
            headers["Idempotency-Key"] = idempotency
        connection.request("POST", path, json.dumps(body), headers)
        answer = connection.getresponse()
        read = json.loads(answer.read())
        with self._guard:
            told, me, now = self.told, threading.get_ident(), time.monotonic()
            told.statuses[answer.status] += 1
            if answer.status not in (200, 201):
                since = self._refused_since.setdefault(me, now)
                if self.may_refuse.is_set():
                    self._refused_since[me] = now
                    told.answered_at = now
                told.longest_refusal_s = max(told.longest_refusal_s, now - since)
                return None
            self._refused_since.pop(me, None)
            told.end_silence()
            if "dispatch_id" in read:
                told.dispatches[read["dispatch_id"]] = read["decision_id"]
            else:
                told.decisions[read["decision_id"]] = (read["call_id"], read["revision"])
        return read
