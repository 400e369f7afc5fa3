"""
`crisis-router person` and `crisis-router agency set`: people and settings, from the machine itself.

Each goes through the service function of the API and the pages, and leaves its entry in the trail.
"""

from typing import Any

import click

from service.access import MAY
from service.accounts.agencies import Agencies
from service.accounts.people import Issued, People
from service.commands.command_line import actor_in, now, plainly, prepared, standing_store, trail_of
from service.errors import CrisisRouterError
from service.rules_in_force import read_rules
from service.settings import read_settings
from service.store import people
from service.store.database import open_store

PAGE_ITEMS = 200
ROLE = click.Choice(tuple(MAY))


@click.group()
def person() -> None:
    """Look after the people who sign in."""


@person.command("list")
@click.argument("agency")
@plainly
def list_people(agency: str) -> None:
    """Show the people of an AGENCY."""
    store = standing_store()
    actor, cursor = actor_in(store, agency), None
    found = People(store, trail_of(store), now)
    while True:
        items, cursor = found.page(actor, cursor, PAGE_ITEMS)
        for one in items:
            state = "disabled" if one["disabled"] else "may sign in"
            click.echo(f"{one['email']:<40} {one['role']:<10} {state:<12} {one['name']}")
        if cursor is None:
            break
    for warning in found.warnings(actor):
        click.echo(warning["message"], err=True)


@person.command()
@click.argument("agency")
@click.argument("email")
@click.option("--name", required=True, help="As pages show it.")
@click.option("--role", type=ROLE, required=True)
@plainly
def add(agency: str, email: str, name: str, role: str) -> None:
    """Add a person with this EMAIL; the first password is shown once."""
    store = open_store(prepared().database_url)
    actor = actor_in(store, agency)
    told = {"email": email, "name": name, "role": role}
    _show(People(store, trail_of(store), now).add(actor, told))


@person.command()
@click.argument("agency")
@click.argument("email")
@click.option("--name", default=None)
@click.option("--role", type=ROLE, default=None)
@click.option(
    "--ask-totp/--no-ask-totp", "totp_required", default=None, help="Ask for a second factor."
)
@plainly
def change(agency: str, email: str, **told: Any) -> None:
    """Change a person's name or role, or ask them for a second factor."""
    wanted = {name: value for name, value in told.items() if value is not None}
    if not wanted:
        raise CrisisRouterError("say what to change: see crisis-router person change --help")
    _change(agency, email, wanted)
    click.echo(f"changed {email}")


@person.command()
@click.argument("agency")
@click.argument("email")
@plainly
def disable(agency: str, email: str) -> None:
    """Let a person in no more, and end their sessions."""
    _change(agency, email, {"disabled": True})
    click.echo(f"{email} can no longer sign in")


@person.command()
@click.argument("agency")
@click.argument("email")
@plainly
def enable(agency: str, email: str) -> None:
    """Let a person in again."""
    _change(agency, email, {"disabled": False})
    click.echo(f"{email} can sign in again")


@person.command()
@click.argument("agency")
@click.argument("email")
@plainly
def password(agency: str, email: str) -> None:
    """Make a new password, shown once, and end the person's sessions."""
    store = standing_store()
    actor = actor_in(store, agency)
    made = People(store, trail_of(store), now).reset_password(actor, _id_of(store, agency, email))
    assert made is not None, "the person was there a moment ago"
    _show(made)


@person.command("totp-reset")
@click.argument("agency")
@click.argument("email")
@plainly
def totp_reset(agency: str, email: str) -> None:
    """Forget a person's authenticator, and end their sessions."""
    store = standing_store()
    actor = actor_in(store, agency)
    People(store, trail_of(store), now).reset_totp(actor, _id_of(store, agency, email))
    click.echo(f"the authenticator of {email} is forgotten")


@click.command("set")
@click.argument("agency")
@click.option("--name", default=None, help="Its full name.")
@click.option("--time-zone", default=None, help="An IANA name, such as America/New_York.")
@click.option(
    "--reason",
    "reasons",
    multiple=True,
    metavar="ID=LABEL",
    help="A reason for a dispatch; all of them, in order.",
)
@click.option(
    "--review",
    "review",
    multiple=True,
    metavar="RULE=VALUE",
    help="A review rule, such as sample_percent=5 or fallback=false.",
)
@click.option(
    "--keep-remarks/--no-keep-remarks",
    default=None,
    help="Keep the words of remarks, sealed; or read them for their signals and forget them.",
)
@click.option("--remarks-days", type=int, default=None, help="Keep words about a person so long.")
@click.option("--decisions-years", type=int, default=None, help="Keep the rest so long.")
@plainly
def agency_set(
    agency: str,
    *,
    name: str | None,
    time_zone: str | None,
    reasons: tuple[str, ...],
    review: tuple[str, ...],
    keep_remarks: bool | None,
    remarks_days: int | None,
    decisions_years: int | None,
) -> None:
    """Set an AGENCY's name, time zone, reasons, review rules, remarks or retention."""
    store = standing_store()
    actor, defaults = actor_in(store, agency), read_rules(read_settings()).config.agency
    settings = Agencies(store, trail_of(store), lambda: defaults, now)
    shown = settings.find(actor)
    assert shown is not None, "the agency was there a moment ago"
    names = ("name", "time_zone", "dispatch_reasons", "review", "keep_remarks", "retention")
    given = {"name": name, "time_zone": time_zone, "keep_remarks": keep_remarks}
    told = {one: shown[one] for one in names}
    told |= {one: value for one, value in given.items() if value is not None}
    if reasons:
        pairs = [_pair(text) for text in reasons]
        told["dispatch_reasons"] = [{"id": one, "label": label} for one, label in pairs]
    told["review"] = {**told["review"], **{one: _value(text) for one, text in map(_pair, review)}}
    kept = {"remarks_days": remarks_days, "decisions_years": decisions_years}
    told["retention"] = told["retention"] | {one: n for one, n in kept.items() if n is not None}
    after = settings.change(actor, told, None)
    assert after is not None, "the agency was there a moment ago"
    click.echo(f"{after['name']}, {after['time_zone']}, {len(after['dispatch_reasons'])} reasons")


def _change(agency: str, email: str, told: dict[str, Any]) -> None:
    store = standing_store()
    actor = actor_in(store, agency)
    People(store, trail_of(store), now).change(actor, _id_of(store, agency, email), told)


def _id_of(store: Any, agency: str, email: str) -> str:
    found = people.find_by_email(store, email) if email.isprintable() else None
    if found is None or found.agency != agency:
        raise CrisisRouterError(
            f"agency `{agency}` has nobody with this address:"
            f" see crisis-router person list {agency}"
        )
    return found.id


def _show(made: Issued) -> None:
    click.echo(made.password)
    said = f"password of {made.person['email']}, role {made.person['role']}: shown this once,"
    click.echo(f"{said} and changed at the next sign-in", err=True)


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign:
        raise CrisisRouterError(f"`{text}` must be a name, an equals sign and a value")
    return name.strip(), value.strip()


def _value(text: str) -> bool | int | float | str:
    """
    Read what was typed as true, false or a number; what is none of these is refused later, by name.
    """
    if text in ("true", "false"):
        return text == "true"
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text
