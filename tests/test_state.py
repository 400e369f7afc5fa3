"""
The last warnings and errors of this host, as the page of the state and `/readyz` read them.
"""

import time
from pathlib import Path

from service.app import join
from service.host import restarts
from service.host.first_start import prepare
from service.log import KEPT_BYTES_MAX, keeper
from service.redis_client import ALIVE_S
from service.settings import read_settings
from service.state import PARTS, TROUBLES_MAX, WORDS, troubles

AT = "2026-11-24T12:00:00Z"


def told(event: str, level: str = "error") -> dict[str, str]:
    """
    Give a line of a log, with words that must not be shown.
    """
    return {"level": level, "event": event, "timestamp": AT, "reason": "she said", "call": "E26"}


def test_only_the_name_of_a_trouble_is_kept(tmp_path: Path) -> None:
    """
    Warnings and errors are kept by name, level and time; what is told beside them is not.
    """
    path = tmp_path / "logs" / "api.log"
    keep = keeper(path)
    for level in ("info", "warning", "error"):
        event = told("record_quarantined", level)
        assert keep(None, level, event) == told("record_quarantined", level), (
            "the line itself stays"
        )
    text = path.read_text()
    assert "she said" not in text
    assert "E26" not in text
    found = troubles(tmp_path)
    assert [(one.part, one.level) for one in found] == [("api", "warning"), ("api", "error")]
    assert {one.text for one in found} == {WORDS["record_quarantined"]}


def test_the_file_stays_small_and_a_disk_that_is_full_harms_nothing(tmp_path: Path) -> None:
    """
    A long file is put aside, the newest troubles are shown first and few, and where nothing can be
    written the line goes on.
    """
    path = tmp_path / "logs" / "api.log"
    keep = keeper(path)
    for number in range(60):
        keep(
            None, "error", {**told(f"away_{number}"), "timestamp": f"2026-11-24T12:00:{number:02}Z"}
        )
    found = troubles(tmp_path)
    assert len(found) == TROUBLES_MAX
    assert found[0].at == "2026-11-24T12:00:59Z"
    path.write_text("x" * (KEPT_BYTES_MAX + 1))
    keep(None, "error", told("away"))
    assert path.stat().st_size < 1000
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where a folder should be")
    event = told("away")
    assert keeper(blocked / "api.log")(None, "error", event) is event
    assert troubles(tmp_path / "nowhere") == []


def test_each_part_that_ends_is_named_in_words() -> None:
    """
    Whatever part the supervisor starts again has words of its own.
    """
    assert set(PARTS) == set(restarts.PARTS)
    assert all(f"{part}_{why}" in WORDS for part in restarts.PARTS for why in restarts.WHYS)


class SignlessRedis:
    """
    Stand for a Redis that just came back, without the signs of life that it held.
    """

    def exists(self, _key: str) -> int:
        """
        Hold nothing.
        """
        return 0


def test_beside_a_queue_that_just_came_back_no_part_is_called_dead(tmp_path: Path) -> None:
    """
    The signs in it may be lost: for as long as one lives nothing is known, and then it is said.
    """
    settings = read_settings({"CRISIS_ROUTER_HOME": str(tmp_path)})
    prepare(settings)
    parts, close = join(settings)
    try:
        parts.surroundings._queue = SignlessRedis()  # type: ignore[assignment]  # a stand-in
        parts.surroundings._queue_since = time.monotonic()
        assert parts.surroundings.alive("worker") is None
        parts.surroundings._queue_since -= ALIVE_S + 1
        assert parts.surroundings.alive("worker") is False
    finally:
        close()


def test_what_repeats_stands_once_and_pushes_nothing_out(tmp_path: Path) -> None:
    """
    The same trouble stands once with its count and last time, named by its route and the class of
    its error; a message in the place of a class is neither kept nor shown.
    """
    keep = keeper(tmp_path / "logs" / "api.log")
    keep(None, "error", {**told("away"), "error": "she said: no"})
    failed = {**told("view_failed"), "error": "KeyError", "route": "/v1/calls/<call_id>"}
    for number in range(TROUBLES_MAX + 5):
        keep(None, "error", {**failed, "timestamp": f"2026-11-24T12:00:{number + 1:02}Z"})
    last, first = troubles(tmp_path)
    assert (last.count, last.at) == (TROUBLES_MAX + 5, f"2026-11-24T12:00:{TROUBLES_MAX + 5:02}Z")
    assert last.text == (
        f"{WORDS['view_failed']} `/v1/calls/<call_id>`, `KeyError`. {TROUBLES_MAX + 5} times."
    )
    assert (first.count, first.text) == (1, WORDS["away"])
    assert "she said" not in (tmp_path / "logs" / "api.log").read_text()
