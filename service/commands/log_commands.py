"""
`crisis-router verify`, `anchor` and `export`: the log of an agency, from the machine itself.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO

import click
from sqlalchemy import Engine

from service.chain import verification
from service.chain.export import Piece, lines_of, piece_of, withheld_from_all
from service.chain.verification import BEGINNING, Verified
from service.commands.command_line import (
    actor_in,
    now,
    plainly,
    store_of_log,
    trail_of,
    waits_for_shipping,
)
from service.errors import CrisisRouterError
from service.instants import iso
from service.settings import read_settings
from service.store import agencies, chain
from service.verify_log import read_anchor, said

AGENCY = click.option("--agency", "name_of_agency", default=None, help="Its id; default: all.")
PROGRESS_EVERY = 50_000  # records; some seconds of work
AFTER_A_RESTORE = (
    "- what was restored and has no place in the log yet: start the service, wait until /readyz"
    " says ready, then verify again"
)


@click.command()
@AGENCY
@click.option(
    *("--anchor", "anchored"),
    multiple=True,
    metavar="PLACE:HASH",
    help="A head that was kept elsewhere; of one agency.",
)
@plainly
def verify(name_of_agency: str | None, anchored: tuple[str, ...]) -> None:
    """Verify the log, and name the first record that was altered, removed or put in."""
    store = store_of_log()
    names = _agencies(store, name_of_agency)
    if anchored and name_of_agency is None and len(names) > 1:
        raise CrisisRouterError("an anchor is of one agency: say which with --agency")
    try:
        anchors = dict(read_anchor(text) for text in anchored)
    except ValueError as error:
        raise CrisisRouterError(str(error)) from error
    if name_of_agency is None:
        names = tuple(dict.fromkeys((*names, *chain.agencies(store))))
    faults = [_verify(store, name, anchors) for name in names]
    if any(faults):
        sys.exit(1)


def _verify(store: Engine, name: str, anchors: dict[int, str]) -> bool:
    """
    Verify one log, say what was found, and tell whether there is a fault.
    """
    shown, through = name or "records of no known agency", chain.head(store, name).place

    def progress(place: int) -> bool:
        if place % PROGRESS_EVERY == 0:
            click.echo(f"{shown}: {place:,} of {through:,} records", err=True)
        return True

    found = verification.verify(store, name, BEGINNING, anchors=anchors, goes_on=progress)
    # What a restore brought back gets its place in the log when the service runs again.
    waits = waits_for_shipping(read_settings())
    fault = found.fault or (None if waits else verification.beside(store, name, now()))
    if fault is not None:
        click.echo(f"{shown}: FAULT: {fault}")
        return True
    click.echo(f"{shown}: GOOD")
    for line in _words(found):
        click.echo(f"  {line}")
    unsealed = chain.unsealed_count(store, name)
    if waits:
        click.echo(f"  {AFTER_A_RESTORE}")
    elif unsealed:
        click.echo(f"  - {_stored_without_place(unsealed)}")
    return False


def _stored_without_place(count: int) -> str:
    return (
        f"{'1 record that is' if count == 1 else f'{count:,} records that are'} stored and"
        f" {'has' if count == 1 else 'have'} no place in the log: while the service runs each gets"
        " its place within seconds, and one that had it and lost it shows against a head kept"
        " elsewhere (--anchor PLACE:HASH)"
    )


def _words(found: Verified) -> list[str]:
    return said(found.check) if found.check is not None else []


@click.command()
@AGENCY
@click.option("--place", type=click.IntRange(1), help="The head as it was at a past place.")
@plainly
def anchor(name_of_agency: str | None, place: int | None) -> None:
    """Print the head of the log: a line for the shift report, or for a second organisation."""
    store = store_of_log()
    for name in _agencies(store, name_of_agency):
        if place is None:
            head = chain.head(store, name)
        else:
            link = chain.at_place(store, name, place)
            if link is None or link.hash is None:
                raise CrisisRouterError(f"the log of `{name}` has no place {place}")
            head = chain.Head(place, link.hash, link.sealed_at)
        at = f"sealed {iso(head.sealed_at)}" if head.sealed_at else "no record yet"
        click.echo(f"{name}  {head.place}:{head.hash}  {head.place:,} records, {at}")


@click.command()
@click.argument("file", metavar="FILE|-")
@click.option(
    "--agency", "name_of_agency", default=None, help="Its id; needed where there are more."
)
@click.option("--from", "first", type=click.IntRange(1), help="The first place.")
@click.option("--to", "last", type=click.IntRange(0), help="The last place.")
@plainly
def export(file: str, name_of_agency: str | None, first: int | None, last: int | None) -> None:
    """Write the log as JSON lines into a FILE, to be verified far from here."""
    store = store_of_log()
    names = _agencies(store, name_of_agency)
    if len(names) != 1:
        raise CrisisRouterError(f"say which log with --agency: {', '.join(names)}")
    actor = actor_in(store, names[0])
    piece = piece_of(store, names[0], first, last)
    noted = partial(
        trail_of(store).note_first, actor, "exported", ("log", names[0]), places=piece.places
    )
    if file == "-":
        noted()
        _write(store, piece, sys.stdout.buffer.write)
        return
    with _new_file(Path(file)) as written:
        noted()
        _write(store, piece, written.write)
    click.echo(f"wrote places {piece.first} to {piece.last} of {names[0]} to {file}", err=True)


@contextmanager
def _new_file(path: Path) -> Iterator[BinaryIO]:
    """
    Open a file that is not there yet; where writing it fails it is taken away again, so that the
    same can be tried again.
    """
    try:
        written = path.open("xb")
    except FileExistsError as error:
        text = f"`{path}` is there already: an export overwrites nothing; choose another name"
        raise CrisisRouterError(text) from error
    except OSError as error:
        raise CrisisRouterError(f"`{path}` cannot be made: {error.strerror}") from error
    try:
        with written:
            yield written
    except BaseException as error:
        path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise CrisisRouterError(f"`{path}` cannot be written: {error.strerror}") from error
        raise


def _write(store: Engine, piece: Piece, write: Callable[[bytes], object]) -> None:
    for count, line in enumerate(lines_of(store, piece, withheld_from_all, now())):
        write(line)
        if b'"incomplete"' in line[:20]:
            raise CrisisRouterError("the export broke off: the store went away, export again")
        if count and count % PROGRESS_EVERY == 0:
            click.echo(f"{count:,} of {piece.last - piece.first + 1:,} records", err=True)


def _agencies(store: Engine, name: str | None) -> tuple[str, ...]:
    if name is not None:
        return (actor_in(store, name).agency,)
    return tuple(one.id for one in agencies.all_agencies(store))
