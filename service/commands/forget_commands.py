"""
`crisis-router forget`: erase a call, asked for by one person and confirmed by another.
"""

from typing import Any

import click

from service.access import COMMAND_LINE, ERASE_CALLS, Actor
from service.audit import Audit
from service.commands.command_line import actor_in, now, plainly, standing_store
from service.encryption import open_key_ring
from service.erasures import AlreadyAskedError, Erasures
from service.errors import CrisisRouterError
from service.journal import Journal
from service.legal_holds import LegalHolds
from service.settings import read_settings
from service.store import people


@click.command()
@click.argument("call_id", required=False)
@click.option("--agency", default="example", show_default=True)
@click.option("--by", required=True, metavar="EMAIL", help="The person who asks or confirms.")
@click.option("--reason", default="", help="Why; needed when asking, and kept sealed.")
@click.option("--confirm", default=None, metavar="ID", help="Confirm what somebody else asked for.")
@plainly
def forget(call_id: str | None, agency: str, by: str, reason: str, confirm: str | None) -> None:
    """Erase a call: ask for it by its CALL_ID, and let another person confirm it by its id."""
    if (call_id is None) == (confirm is None):
        raise CrisisRouterError("give a CALL_ID to ask, or --confirm ID to confirm")
    if call_id is not None and not reason.strip():
        raise CrisisRouterError("say why, with --reason")
    store, here = standing_store(), read_settings()
    actor_in(store, agency)
    actor = _person(store, agency, by)
    trail, ring = Audit(store, now), open_key_ring(here)
    holds = LegalHolds(store, trail, ring, now)
    found = Erasures(store, Journal(here), trail, key_ring=ring, holds=holds, now=now)
    if confirm is not None:
        done = found.confirm(actor, confirm)
        if done is None:
            raise CrisisRouterError(f"agency `{agency}` has no request `{confirm}`")
        click.echo(f"call {done['call_id']} is erased from the store; each host does its journal")
        return
    asked = _ask(found, actor, {"call_id": call_id, "reason": reason})
    if asked is None:
        raise CrisisRouterError(f"agency `{agency}` has no call `{call_id}`")
    click.echo(asked["erasure_id"])
    click.echo(f"asked for; {_how_to_confirm(agency, asked['erasure_id'])}", err=True)


def _ask(found: Erasures, actor: Actor, told: dict[str, Any]) -> dict[str, Any] | None:
    """
    Ask; where somebody has asked before, say how that is confirmed.
    """
    try:
        return found.ask(actor, told)
    except AlreadyAskedError as error:
        how = _how_to_confirm(actor.agency, error.erasure_id)
        raise CrisisRouterError(f"{error}; {how}") from error


def _how_to_confirm(agency: str, erasure_id: str) -> str:
    """
    Say what another person types to confirm a request.
    """
    said = f"crisis-router forget --agency {agency} --confirm {erasure_id} --by EMAIL"
    return f"another administrator confirms it with: {said}"


def _person(store: Any, agency: str, email: str) -> Actor:
    person = people.find_by_email(store, email) if email.isprintable() else None
    if person is None or person.agency != agency or person.disabled_at is not None:
        raise CrisisRouterError(
            f"agency `{agency}` has nobody with this address who may sign in:"
            f" see crisis-router person list {agency}"
        )
    actor = Actor(agency, person.role, COMMAND_LINE, person.id, person.name)
    if not actor.may(ERASE_CALLS):
        raise CrisisRouterError(f"the role {person.role} may not {ERASE_CALLS}")
    return actor
