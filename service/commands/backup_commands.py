"""
`crisis-router backup` and `restore`.
"""

import shlex
import sys
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

import click
from sqlalchemy import Engine

from service.commands.command_line import now, plainly
from service.errors import CrisisRouterError
from service.host.backup import CONFIG, back_up
from service.host.first_start import is_prepared
from service.host.restore import restore as bring_back
from service.settings import read_settings, shipped_config
from service.store import chain

NOBODY = "records of no known agency"
FOLDER = click.Path(path_type=Path)
PROGRAMS = click.option(
    "--pg-bin", type=FOLDER, default=None, help="Where pg_dump and pg_restore are."
)


@click.command()
@click.argument("folder", type=FOLDER)
@click.option(
    "--keys", type=FOLDER, default=None, help="For the keys alone; default: FOLDER-keys beside it."
)
@PROGRAMS
@plainly
def backup(folder: Path, keys: Path | None, pg_bin: Path | None) -> None:
    """Copy journal, store and rules into FOLDER, and the keys apart, while the service runs."""
    here = read_settings()
    if not is_prepared(here):
        raise CrisisRouterError(f"there is no service at `{here.home}` to back up")
    keys = keys or folder.absolute().with_name(f"{folder.absolute().name}-keys")
    made = back_up(here, (folder, keys), now(), _say, programs=pg_bin, heads=_heads)
    size = sum(one["bytes"] for one in made["files"].values())
    click.echo(f"backed up into {folder}: {len(made['files'])} files, {size:,} bytes")
    click.echo(
        f"the keys are in {keys}: keep them elsewhere, since whoever has both can read what people"
        " told, and without the keys nobody ever can"
    )
    for name, anchor in made["chain_heads"].items():
        click.echo(f"head of the log of {name or NOBODY}: {anchor}")


@click.command()
@click.argument("folder", type=FOLDER)
@click.option("--keys", type=FOLDER, required=True, help="The folder of the backup's keys.")
@PROGRAMS
@plainly
def restore(folder: Path, keys: Path, pg_bin: Path | None) -> None:
    """Bring the backup in FOLDER back into an empty home and an empty store."""
    here = read_settings()
    made = bring_back(here, (folder, keys), now(), _say, programs=pg_bin)
    click.echo(f"restored into {here.home} what was backed up at {made['made_at']}")
    for name in ("encryption_keys", "session_key", "sampling_key"):
        if getattr(here, name):
            click.echo(f"CRISIS_ROUTER_{name.upper()} is set and counts, not the restored file")
    if made["config"] != str(shipped_config()):
        click.echo(f"the configuration was that of {made['config']}: a copy is in {CONFIG}")
    click.echo("every sign-in was ended; keys, people and erasures are as they were then")
    click.echo("next: start the service, wait until /readyz says ready, then check with")
    for words in _verifications(made["chain_heads"]):
        click.echo(f"  {words}")
    month = datetime.fromisoformat(made["made_at"]) - timedelta(days=30)
    click.echo(f"  crisis-router replay --all --since {month:%Y-%m-%d}")


def _heads(store: Engine) -> dict[str, str]:
    """
    Give the head of each agency's log as an anchor, `PLACE:HASH`; none of a log that is empty yet.
    """
    found = {name: chain.head(store, name) for name in chain.agencies(store)}
    return {name: f"{one.place}:{one.hash}" for name, one in found.items() if one.place}


def _verifications(heads: Mapping[str, str]) -> list[str]:
    """
    Give the commands that show whether what was restored goes on from these heads.
    """
    anchored = [
        f"crisis-router verify --agency {shlex.quote(name)} --anchor {anchor}"
        for name, anchor in heads.items()
        if name
    ]
    return [*anchored, "crisis-router verify"]


def _say(text: str) -> None:
    if sys.stderr.isatty():
        click.echo(text, err=True)
