"""
`crisis-router quarantine`: what the store could never take as it is, by its ids and reasons.

What a record says is never shown: it may be about a person.
"""

import sys
from collections.abc import Iterator
from typing import Final

import click

from service.access import command_line
from service.audit import Audit
from service.commands.command_line import now, plainly, standing_store
from service.errors import CrisisRouterError
from service.quarantine import Quarantine
from service.store import quarantined
from service.store.quarantined import Quarantined, object_of
from service.verify_log import lacks_text

PAGE_ITEMS: Final = 200
_NUMBER: Final = click.IntRange(1, 2**63 - 1)  # what a journal can give


@click.group()
def quarantine() -> None:
    """Look after records that cannot be stored as they are."""


@quarantine.command("list")
@plainly
def list_records() -> None:
    """Show what is in quarantine, of every agency."""
    is_empty = True
    for one in _every():
        is_empty = False
        left = "; left there for good" if one.left_at is not None else ""
        click.echo(f"{one.host_id} {one.journal_number:>10}  {_named(one)}  {one.reason}{left}")
    if is_empty:
        click.echo("nothing is in quarantine", err=True)


@quarantine.command()
@click.argument("host_id", metavar="HOST")
@click.argument("number", type=_NUMBER)
@plainly
def show(host_id: str, number: int) -> None:
    """Show one record by its HOST and NUMBER, without what it says."""
    one = _find(host_id, number)
    click.echo(f"host      {one.host_id}")
    click.echo(f"number    {one.journal_number}")
    click.echo(f"kind      {one.kind or 'not known'}")
    click.echo(f"record    {one.record_id or 'not known'}")
    click.echo(f"agency    {one.agency or 'not known'}")
    click.echo(f"reason    {one.reason}")
    click.echo(f"body      {_kept(one)}")
    click.echo(f"since     {one.stored_at:%Y-%m-%d %H:%M:%S} UTC")
    if one.settled_at is not None and one.erased is None:
        click.echo(f"stored    {one.settled_at:%Y-%m-%d %H:%M:%S} UTC")
    if one.left_at is not None:
        click.echo(f"left      {one.left_at:%Y-%m-%d %H:%M:%S} UTC by {one.left_by}")


@quarantine.command()
@click.argument("host_id", metavar="HOST", required=False)
@click.argument("number", type=_NUMBER, required=False)
@click.option("--all", "of_all", is_flag=True, help="Try everything that is in quarantine.")
@plainly
def retry(host_id: str | None, number: int | None, *, of_all: bool) -> None:
    """Store a record, now that the program can; exit code 1 where one has to stay."""
    if of_all == (host_id is not None) or (host_id is None) != (number is None):
        raise CrisisRouterError("say which one, by HOST and NUMBER, or --all")
    store = standing_store()
    kept, stored, left = Quarantine(store, Audit(store, now), now), 0, 0
    for one in _every() if of_all else [_find(host_id or "", number or 0)]:
        reason = kept.store_again(command_line(one.agency or ""), one)
        stored, left = stored + (reason is None), left + (reason is not None)
        if reason is not None:
            click.echo(f"{one.host_id} {one.journal_number} stays: {reason}", err=True)
    click.echo(f"{stored} stored, {left} left in quarantine")
    if left:
        sys.exit(1)


@quarantine.command()
@click.argument("host_id", metavar="HOST")
@click.argument("number", type=_NUMBER)
@plainly
def leave(host_id: str, number: int) -> None:
    """Leave a record that no program will ever read: it is kept, and asks for nothing more."""
    one = _find(host_id, number)
    store = standing_store()
    kept = Quarantine(store, Audit(store, now), now)
    kept.leave_there(command_line(one.agency or ""), one)
    click.echo(f"{one.host_id} {one.journal_number} is left in quarantine")


def _every() -> Iterator[Quarantined]:
    store, after = standing_store(), None
    while piece := quarantined.page(store, PAGE_ITEMS, after):
        yield from piece
        after = piece[-1].host_id, piece[-1].journal_number


def _find(host_id: str, number: int) -> Quarantined:
    # What a terminal gives may be no text at all, which no database is asked for.
    found = quarantined.find(standing_store(), host_id, number) if host_id.isprintable() else None
    if found is None:
        raise CrisisRouterError("there is no such record: see crisis-router quarantine list")
    return found


def _kept(one: Quarantined) -> str:
    if one.erased is not None:
        return f"erased on {one.erased.at[:10]}: {one.erased.words}"
    if lacks_text(object_of(one.body)):
        return f"{len(one.body)} bytes, kept as they came but for texts that were erased"
    return f"{len(one.body)} bytes, kept as they came"


def _named(one: Quarantined) -> str:
    return f"{one.kind or '?':<10} {one.record_id or '?':<32} {one.agency or '?':<20}"
