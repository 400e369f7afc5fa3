"""
`crisis-router keys`: the ring of keys that seals text about a person.
"""

import click

from service.access import command_line
from service.audit import Audit
from service.commands.command_line import now, plainly, standing_store
from service.encryption_keys import EncryptionKeys
from service.journal import Journal
from service.settings import read_settings
from service.store import agencies, audit
from service.store.database import writing


@click.group()
def keys() -> None:
    """Look after the keys that seal text about a person."""


@keys.command("list")
@plainly
def keys_list() -> None:
    """Show the keys, the newest first, and how many sealed texts need each."""
    for place, (name, used) in enumerate(_ring().listed()):
        said = "seals new texts" if place == 0 else "opens old texts"
        click.echo(f"{name:<20} {said:<16} needed by {used}")


@keys.command("rotate")
@plainly
def keys_rotate() -> None:
    """Seal with a new key from now on; the others go on opening old texts."""
    made = _ring().rotate()
    _note("rotated", made)
    click.echo(f"{made} seals from now on; every process of this home takes it within seconds")


@keys.command("retire")
@click.argument("key_id", metavar="ID")
@plainly
def keys_retire(key_id: str) -> None:
    """End a key that no sealed text needs any more."""
    _ring().retire(key_id)
    _note("retired", key_id)
    click.echo(f"{key_id} is gone; what a backup holds that was sealed with it opens no more")


def _ring() -> EncryptionKeys:
    here = read_settings()
    return EncryptionKeys(here, standing_store(), Journal(here))


def _note(act: str, key_id: str) -> None:
    store = standing_store()
    trail = Audit(store, now)
    with writing(store) as connection:
        for one in agencies.all_agencies(store):
            actor = command_line(one.id)
            audit.add(connection, trail.entry(actor, act, ("encryption_key", key_id)))
