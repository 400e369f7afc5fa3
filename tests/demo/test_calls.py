"""
What is read of the Seattle calls, and what is asked about them.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from service.demo import (
    SeattleCall,
    read_calls,
    replay,
    report,
    request_of,
)
from service.errors import CrisisRouterError
from tests.demo.makers import CALLS, CLOSED_CRISIS, HEADER, answer, call, faults_of, vocabulary


def test_the_shipped_calls_are_all_read_in_the_order_of_the_file() -> None:
    """
    The file that travels with the program has 4,183 calls, the first on New Year's Day 2010.
    """
    calls = read_calls(CALLS)

    assert 4183 == len(calls)
    assert (
        SeattleCall(
            number="2010000000022",
            incident_date="2010-01-01",
            call_source="911",
            priority=4,
            initial_call_type="FIREWORKS (NO HAZARD)",
            final_call_type="MISCHIEF OR NUISANCE - GENERAL",
            area="Madison Park",
        )
        == calls[0]
    )


def test_the_shipped_calls_hold_no_place_finer_than_a_neighbourhood() -> None:
    """
    The file has no coordinates.
    """
    header = CALLS.read_text(encoding="utf-8").splitlines()[0]

    assert HEADER.strip() == header


def test_the_figures_of_the_readme_hold() -> None:
    """
    123 calls were closed as a crisis, 47 of which had opened as one; 93 opened on behavioural
    health.
    """
    calls = read_calls(CALLS)
    closed = [one for one in calls if one.closed_as_crisis]

    assert 123 == len(closed)
    assert 47 == sum(one.opened_as_crisis for one in closed)
    assert 93 == sum(one.touches_behavioural_health for one in calls)


def test_every_row_that_is_no_call_is_named_with_its_line(tmp_path: Path) -> None:
    """
    All faulty rows of a file are named at once, each with its line.
    """
    path = tmp_path / "calls.csv"
    path.write_text(
        HEADER
        + "1,2024-05-15,911,high,A,B,C,D\n"
        + ",2024-05-15,911,3,A,B,C,D\n"
        + "2,2024-05-15,911,3,A,B,C,D\n"
        + "3,2024-05-15\n",
        encoding="utf-8",
    )

    with pytest.raises(CrisisRouterError) as fault:
        read_calls(path)

    assert [
        f"{path}:2: `priority` must be a number, not `high`",
        f"{path}:3: `cad_event_number` is empty",
        f"{path}:5: values are missing",
    ] == str(fault.value).splitlines()


def test_missing_columns_are_named(tmp_path: Path) -> None:
    """
    A file without the columns that the demo reads is refused by their names.
    """
    path = tmp_path / "calls.csv"
    path.write_text("cad_event_number,incident_date,call_source,priority\n", encoding="utf-8")

    with pytest.raises(CrisisRouterError, match="`initial_call_type`, `final_call_type`, `area`"):
        read_calls(path)


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b""])
def test_a_file_that_is_none_is_one_clear_error(tmp_path: Path, content: bytes | None) -> None:
    """
    A file that is missing, not text, or empty is an error that names the file.
    """
    path = tmp_path / "calls.csv"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(CrisisRouterError, match="calls.csv"):
        read_calls(path)


# --- Asking ---


@pytest.mark.parametrize(
    "source", ["911", "TELEPHONE OTHER, NOT 911", "ALARM CALL (NOT POLICE ALARM)"]
)
def test_nothing_is_invented_about_who_called(source: str) -> None:
    """
    A telephone call or an alarm tells the type of the call, and nothing of the caller.
    """
    request = request_of(call("2024000131882", source=source))

    assert {
        "call_id": "SEA-2024000131882",
        "incident_type": {"registry": "seattle", "code": "TRESPASS"},
        "facts": {},
    } == request


def test_an_onview_call_comes_from_an_officer() -> None:
    """
    A call that an officer saw says that the caller is an officer.
    """
    assert {"caller": "officer"} == request_of(call(source="ONVIEW"))["facts"]


def test_a_text_message_comes_as_text() -> None:
    """
    A text message says its channel, and nothing of who wrote it.
    """
    request = request_of(call(source="TEXT MESSAGE"))

    assert ("text", {}) == (request["channel"], request["facts"])


def test_the_closing_type_is_never_told() -> None:
    """
    What a call was closed as is not in the request: nobody knew it when the call came in.
    """
    assert CLOSED_CRISIS not in json.dumps(request_of(call(closed=CLOSED_CRISIS)))


def test_every_shipped_call_asks_with_words_of_the_vocabulary() -> None:
    """
    Each request names only facts, values and channels of the vocabulary.
    """
    facts = vocabulary()
    for one in read_calls(CALLS):
        request = request_of(one)
        told = dict(request["facts"])
        if "channel" in request:
            told["channel"] = request["channel"]
        assert [] == faults_of(facts, told)


@dataclass
class Clock:
    """
    A clock that goes one second further each time somebody looks.
    """

    now: float = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


def test_calls_are_asked_in_order_and_progress_is_told() -> None:
    """
    Each call is asked once, in order; progress comes every 50 calls and after the last, with a
    rate.
    """
    calls = [call(str(number)) for number in range(60)]
    asked: list[str] = []
    progress: list[tuple[int, int, float]] = []

    def ask(request: dict[str, Any]) -> dict[str, Any]:
        asked.append(request["call_id"])
        return answer("mobile_crisis")

    replayed = replay(calls, ask, on_progress=lambda *told: progress.append(told), clock=Clock())

    assert [f"SEA-{number}" for number in range(60)] == asked
    assert calls == [one.call for one in replayed]
    assert [(50, 60, 50.0), (60, 60, 30.0)] == progress


def test_no_calls_make_no_progress() -> None:
    """
    An empty file is replayed without a question, and the report says so.
    """
    replayed = replay([], lambda request: {}, on_progress=lambda *told: pytest.fail("progress"))

    assert "No call was replayed.\n" == report(replayed)
