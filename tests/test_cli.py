"""
`crisis-router` as its users type it.
"""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from service.app import join, make_flask
from service.cli import main
from service.host.first_start import prepare
from service.settings import SETTINGS, read_settings


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """
    Give a home of its own to every command.
    """
    monkeypatch.setenv("CRISIS_ROUTER_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def run(*words: str) -> Result:
    """
    Run a command.
    """
    return CliRunner().invoke(main, list(words))


def test_help_lists_the_commands() -> None:
    """
    `--help` names every command that the README names.
    """
    shown = run("--help").output
    for command in ("up", "serve", "settings", "agency", "key", "demo", "replay"):
        assert command in shown


def test_help_of_agency_says_all_that_it_does() -> None:
    """
    The help of `agency` says in its first line that it makes, shows and changes agencies.
    """
    shown = run("agency", "--help").output
    assert "Make agencies, show them, and change their settings." in shown
    for command in ("add", "list", "set"):
        assert f"  {command} " in shown


def test_settings_are_all_shown() -> None:
    """
    Every setting stands in the list with its variable and help.
    """
    shown = run("settings").output
    for row in SETTINGS:
        assert row.variable in shown
        assert row.help in shown


def test_an_agency_and_its_key_work_and_a_revoked_key_does_not(home: Path) -> None:
    """
    A new agency's key answers for it, is listed without its secret, and stops when it is ended.
    """
    assert run("agency", "add", "alder", "--name", "Alder", "--time-zone", "UTC").exit_code == 0
    secret = run("key", "add", "alder", "--label", "CAD").stdout.split()[0]
    listed = run("key", "list", "alder").output
    assert "CAD" in listed
    assert secret not in listed
    parts, close = join(read_settings({"CRISIS_ROUTER_HOME": str(home)}))
    try:
        client = make_flask(parts).test_client()
        sent = {"json": {"call_id": "a"}, "headers": {"Authorization": f"Bearer {secret}"}}
        assert client.post("/v1/decisions", **sent).status_code == 201
        assert run("key", "revoke", "alder", listed.split()[0]).exit_code == 0
        parts.surroundings.look()
        assert client.post("/v1/decisions", **sent).status_code == 401
    finally:
        close()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("agency", "add", "x", "--name", "X", "--time-zone", "Mars/Olympus"), "time zone"),
        (("agency", "add", "not an id", "--name", "X", "--time-zone", "UTC"), "letters, digits"),
        (("agency", "add", "example", "--name", "X", "--time-zone", "UTC"), "already"),
        (
            ("agency", "add", "x", "--name", "X", "--time-zone", "UTC", "--ruleset", "y"),
            "no ruleset",
        ),
        (("key", "add", "nobody"), "no agency"),
        (("key", "revoke", "example", "nothing"), "no working key"),
        (("replay", "nothing"), "no decision"),
    ],
)
def test_what_cannot_be_done_is_one_clear_line(
    home: Path, words: tuple[str, ...], said: str
) -> None:
    """
    A mistake is one line that says what is wrong, with exit code 1 and no stack trace.
    """
    result = run(*words)
    assert result.exit_code == 1
    assert said in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_the_demo_says_to_start_the_service_first(home: Path) -> None:
    """
    Without a service there is one clear line.
    """
    result = run("demo")
    assert result.exit_code == 1
    assert "start the service first" in result.stderr


@pytest.mark.parametrize("keeps", [True, False])
def test_a_decision_replays_to_the_byte(home: Path, *, keeps: bool) -> None:
    """
    `replay` decides a recorded call again and finds the same answer, also where the remark that it
    was read out of is not kept.
    """
    settings = read_settings({"CRISIS_ROUTER_HOME": str(home)})
    made = prepare(settings)
    assert made is not None
    parts, close = join(settings)
    try:
        assert keeps or run("agency", "set", "example", "--no-keep-remarks").exit_code == 0
        parts.surroundings.look()
        body = {
            "call_id": "r",
            "facts": {"suicide": "plan", "weapon": "unknown"},
            "incident_type": {"registry": "seattle", "code": "no such code"},
            "remarks": "HE HAS A GUN, HX OF SI",
        }
        headers = {"Authorization": f"Bearer {made.dispatch_key}"}
        client = make_flask(parts).test_client()
        answered = client.post("/v1/decisions", json=body, headers=headers).json
    finally:
        close()
    assert "The same answer, to the byte" in run("replay", answered["decision_id"]).output


@pytest.mark.parametrize(
    ("name", "value"), [("PORT", "eighty"), ("CRISIS_ROUTER_STOP_S_MAX", "soon")]
)
def test_a_wrong_setting_is_named(
    home: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """
    A setting that cannot be read is one line with its variable and what it must be.
    """
    monkeypatch.setenv(name, value)
    result = run("agency", "list")
    assert result.exit_code == 1
    assert name in result.stderr
