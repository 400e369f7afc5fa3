"""
`crisis-router quarantine`, as it is typed.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, select

from service.cli import main
from service.host.first_start import prepare
from service.settings import read_settings
from service.store import audit, chain, decisions, quarantined, records
from service.store.database import open_store, reading
from tests.store.test_store import NOW, record

TOLD = b'{"answer": {"because": "she said'


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """
    Give the home, not there yet, in which the commands are typed.
    """
    made = tmp_path / "home"
    monkeypatch.setenv("CRISIS_ROUTER_HOME", str(made))
    return made


@pytest.fixture
def store(home: Path) -> Iterator[Engine]:
    """
    Give the store of a service that was started once.
    """
    settings = read_settings({"CRISIS_ROUTER_HOME": str(home)})
    prepare(settings)
    engine = open_store(settings.database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def kept(store: Engine, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """
    Put two records into quarantine: one that is broken for ever, and one that a fault of the
    program keeps out, which is mended by now. Give the words that name each.
    """

    def broken(_record: Any) -> dict[str, Any]:
        raise KeyError("a bug of ours")

    with monkeypatch.context() as bug:
        bug.setitem(records._FIELDS, "decision", broken)
        batch = [record(1, agency="example", body=TOLD), record(2, agency="example")]
        records.insert(store, batch, NOW)
    assert quarantined.count(store) == len(batch)
    return ["h1 1", "h1 2"]


def run(*words: str) -> Result:
    """
    Run the command.
    """
    return CliRunner().invoke(main, ["quarantine", *words])


def entries(store: Engine, act: str = "stored out of quarantine") -> list[audit.Entry]:
    """
    Give what the audit trail says of quarantine.
    """
    query = audit.Search(act=act)
    return list(audit.page(store, "example", query, None, 9)[0])


def test_without_a_service_each_command_says_so_and_makes_none(home: Path) -> None:
    """
    Where nothing was ever started nothing is made, and the way out is named.
    """
    for words in (["list"], ["show", "h1", "1"], ["retry", "--all"], ["leave", "h1", "1"]):
        said = run(*words)
        assert (said.exit_code, said.output.count("\n")) == (1, 1)
        assert "start it first" in said.stderr
    assert not home.exists()


def test_a_decision_in_quarantine_is_not_replayed_and_said_to_be_there(
    store: Engine, kept: list[str]
) -> None:
    """
    Whoever replays it is told where it is, once it is named by its id; of another there is none.
    """
    for place in kept:
        found = quarantined.find(store, "h1", int(place.split()[1]))
        assert found is not None
        assert found.record_id is not None
        said = CliRunner().invoke(main, ["replay", found.record_id])
        assert said.exit_code == 1
        assert f"crisis-router quarantine show {place}" in said.stderr
    other = CliRunner().invoke(main, ["replay", "no-such-one"])
    assert "there is no decision `no-such-one`" in other.stderr


def test_where_nothing_is_in_quarantine_that_is_said(store: Engine) -> None:
    """
    An empty list prints no row and is no fault; neither is trying all of nothing.
    """
    listed, tried = run("list"), run("retry", "--all")
    assert (listed.exit_code, listed.stdout) == (0, "")
    assert listed.stderr == "nothing is in quarantine\n"
    assert (tried.exit_code, tried.stdout) == (0, "0 stored, 0 left in quarantine\n")
    assert entries(store) == []


def test_what_is_not_there_or_makes_no_sense_is_one_clear_error(
    store: Engine, kept: list[str]
) -> None:
    """
    An unknown place, and words that name none or too much, end with an exit code and change
    nothing.
    """
    unknown = ["h1", "9"], ["nobody", "1"], ["\udcff", "1"], ["h\0", "1"]
    senseless = ["h1", "0"], ["h1", "first"], ["h1", str(2**63)], ["h1"], []
    too_much = ["h1", "2", "--all"], ["h1", "--all"]
    typed = [
        (command, *words)
        for command in ("show", "retry", "leave")
        for words in (*unknown, *senseless)
    ]
    for words in (*typed, *(("retry", *one) for one in too_much)):
        said = run(*words)
        assert isinstance(said.exception, SystemExit), words
        assert said.exit_code in {1, 2}, words
        assert said.stderr
    assert "see crisis-router quarantine list" in run("show", *unknown[0]).stderr
    assert "or --all" in run("retry", *too_much[0]).stderr
    assert quarantined.count(store) == len(kept)
    assert entries(store) == []


def test_what_is_kept_is_listed_and_shown_without_its_words(kept: list[str]) -> None:
    """
    Each is named by its host and number with the reason; what it says stands nowhere.
    """
    listed = run("list")
    assert [" ".join(line.split()[:2]) for line in listed.stdout.splitlines()] == kept
    shown = run("show", "h1", "1")
    assert (listed.exit_code, shown.exit_code) == (0, 0)
    for fact in ("r-001", "example", "decision", f"{len(TOLD)} bytes", "its body is no JSON"):
        assert fact in shown.stdout
    assert "she said" not in listed.output + shown.output


def test_a_retry_stores_what_it_can_says_what_stays_and_is_in_the_trail(
    store: Engine, kept: list[str]
) -> None:
    """
    What can be stored is a decision like any other, with an entry by the command line that is in
    the log; what stays is named, with exit code 1, and has none.
    """
    tried = run("retry", "--all")
    assert tried.exit_code == 1
    assert tried.stdout == "1 stored, 1 left in quarantine\n"
    assert tried.stderr == "h1 1 stays: its body is no JSON\n"
    assert decisions.find(store, "example", "r-002") is not None
    (entry,) = entries(store)
    assert (entry.name, entry.subject_kind, entry.subject_id) == (
        *("command line", "decision", "r-002"),
    )
    assert entry.detail == {"host_id": "h1", "number": 2}
    links = chain.chain
    with reading(store) as connection:
        query = select(links.c.kind).where(links.c.subject_id == entry.id)
        assert connection.execute(query).scalars().all() == ["audit"]
    chain.seal(store, NOW, 1_000)
    verified = CliRunner().invoke(main, ["verify"])
    assert (verified.exit_code, "example: GOOD" in verified.output) == (0, True)
    again = run("retry", "h1", "2")
    assert (again.exit_code, "it was stored at" in again.stderr) == (1, True)
    assert "stored    20" in run("show", "h1", "2").stdout
    assert run("retry", "h1", "1").exit_code == 1
    assert len(entries(store)) == 1
    assert [" ".join(line.split()[:2]) for line in run("list").stdout.splitlines()] == kept[:1]


def test_what_no_program_will_read_is_left_and_still_listed(store: Engine, kept: list[str]) -> None:
    """
    It is said in the list and beside the record, is in the trail, and may be stored all the same.
    """
    done = run("leave", "h1", "1")
    assert (done.exit_code, done.stdout) == (0, "h1 1 is left in quarantine\n")
    assert run("list").stdout.splitlines()[0].endswith("; left there for good")
    assert "left      " in run("show", "h1", "1").stdout
    assert len(entries(store, "left in quarantine")) == 1
    assert run("leave", "h1", "2").exit_code == run("retry", "h1", "2").exit_code == 0
    assert "it was stored at" in run("leave", "h1", "2").stderr
    assert quarantined.counts(store, "example") == (0, 0, 1)
