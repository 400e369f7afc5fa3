"""
People and settings from the command line: as their users type it.
"""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from service.cli import main
from service.host.first_start import prepare
from service.settings import read_settings
from service.store import agencies, audit, people
from service.store.audit import Search
from service.store.database import open_store


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """
    Give a home of its own to every command, which no command has made yet.
    """
    monkeypatch.setenv("CRISIS_ROUTER_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def service(home: Path) -> str:
    """
    Make the home, and give the address of its store.
    """
    settings = read_settings({"CRISIS_ROUTER_HOME": str(home)})
    prepare(settings)
    return settings.database_url


def run(*words: str) -> Result:
    """
    Run a command.
    """
    return CliRunner().invoke(main, list(words))


def acts(url: str) -> list[tuple[str, str, str]]:
    """
    Give what commands did to which kind of thing, the earliest first.
    """
    found, _ = audit.page(open_store(url), "example", Search(who="command line"))
    return [(one.name, one.act, one.subject_kind) for one in reversed(found)]


@pytest.mark.parametrize(
    "words",
    [("key", "list", "example"), ("agency", "list"), ("person", "list", "example")],
)
def test_a_command_that_only_looks_makes_no_home(home: Path, words: tuple[str, ...]) -> None:
    """
    Without a home it says so in one line, and leaves nothing behind.
    """
    result = run(*words)
    assert result.exit_code == 1
    assert "there is no service at" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert not home.exists()


def test_a_person_is_looked_after_from_the_machine(service: str) -> None:
    """
    Somebody is added, changed, disabled, enabled and given a new password, each with an entry in
    the trail.
    """
    added = run("person", "add", "example", "Dee@example.org", "--name", "Dee", "--role", "auditor")
    assert added.exit_code == 0, added.stderr
    first = added.stdout.strip()
    assert first not in run("person", "list", "example").output
    found = people.find_by_email(open_store(service), "dee@example.org")
    assert found is not None
    assert people.is_password(found, first)
    for words in (
        ("change", "example", "dee@example.org", "--role", "supervisor", "--ask-totp"),
        ("disable", "example", "dee@example.org"),
        ("enable", "example", "dee@example.org"),
        ("password", "example", "dee@example.org"),
        ("totp-reset", "example", "dee@example.org"),
    ):
        result = run("person", *words)
        assert result.exit_code == 0, result.stderr
    listed = run("person", "list", "example").output
    assert "supervisor may sign in" in listed
    found = people.find_by_email(open_store(service), "dee@example.org")
    assert found is not None
    assert found.totp_required
    assert not people.is_password(found, first)
    assert acts(service) == [
        ("command line", act, "person")
        for act in (
            *("added", "changed", "asked for a second factor", "disabled", "enabled"),
            *("reset password", "reset second factor"),
        )
    ]


def test_the_last_administrator_stays_one(service: str) -> None:
    """
    The command line cannot lock an agency out either, and warns where one is left.
    """
    assert run("person", "disable", "example", "second-admin@example.org").exit_code == 0
    assert "rules cannot be published" in run("person", "list", "example").stderr
    for words in (
        ("disable", "example", "admin@example.org"),
        ("change", "example", "admin@example.org", "--role", "auditor"),
    ):
        result = run("person", *words)
        assert result.exit_code == 1
        assert "last administrator" in result.stderr


def test_keys_of_the_command_line_leave_their_entry(service: str) -> None:
    """
    Making and ending a key goes through the service, and is in the trail.
    """
    made = run("key", "add", "example", "--label", "CAD")
    assert made.exit_code == 0
    key_id = made.stderr.split()[1]
    assert run("key", "revoke", "example", key_id).exit_code == 0
    assert acts(service) == [("command line", "made", "key"), ("command line", "ended", "key")]


def test_an_agency_is_set_and_the_rest_stays(service: str) -> None:
    """
    A time zone, the reasons, a review rule and whether remarks are kept are set; what is not named
    stays as it was.
    """
    result = run(
        *("agency", "set", "example", "--time-zone", "America/New_York"),
        *("--reason", "far=Too far", "--reason", "other=Other", "--review", "sample_percent=5"),
        "--no-keep-remarks",
    )
    assert result.exit_code == 0, result.stderr
    found = agencies.find(open_store(service), "example")
    assert found is not None
    assert (found.time_zone, found.name) == ("America/New_York", "Example agency")
    assert found.settings["dispatch_reasons"] == {"far": "Too far", "other": "Other"}
    assert found.settings["review"]["sample_percent"] == 5
    assert found.settings["review"]["sample_per_week"] == 10
    assert found.settings["keep_remarks"] is False
    assert acts(service) == [("command line", "changed settings", "agency")]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("person", "add", "nobody", "a@b.cd", "--name", "A", "--role", "admin"), "no agency"),
        (("person", "add", "example", "a", "--name", "A", "--role", "admin"), "e-mail address"),
        (
            ("person", "add", "example", "admin@example.org", "--name", "A", "--role", "admin"),
            "already",
        ),
        (("person", "password", "example", "a@b.cd"), "nobody with this address"),
        (("person", "change", "example", "admin@example.org"), "say what to change"),
        (("agency", "set", "example", "--time-zone", "Mars/Olympus"), "time_zone"),
        (("agency", "set", "example", "--reason", "far"), "equals sign"),
        (("agency", "set", "example", "--reason", "far=Too far"), "must hold `other`"),
        (("agency", "set", "example", "--review", "sample=5"), "review.sample"),
        (("agency", "set", "example", "--review", "due_days=soon"), "review.due_days"),
    ],
)
def test_what_cannot_be_done_is_one_clear_line(
    service: str, words: tuple[str, ...], said: str
) -> None:
    """
    A mistake is one line that says what is wrong, with exit code 1 and no stack trace.
    """
    result = run(*words)
    assert result.exit_code == 1
    assert said in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
