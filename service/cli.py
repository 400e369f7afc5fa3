"""
`crisis-router`: run the service, and look after agencies and keys.

Errors that a person can mend are one line on the standard error and exit code 1; nobody sees a
stack trace.
"""

import datetime as dt
import json
import os
import sys
from typing import Any

import click

from service import PROGRAM_VERSION
from service.access import MAY
from service.accounts.access_keys import AccessKeys
from service.commands.backup_commands import backup, restore
from service.commands.command_line import actor_in, now, plainly, standing_store, trail_of
from service.commands.forget_commands import forget
from service.commands.key_ring_commands import keys as keys_of_ring
from service.commands.log_commands import anchor, export, verify
from service.commands.person_commands import agency_set, person
from service.commands.quarantine_commands import quarantine
from service.commands.replay_commands import replay
from service.commands.sample_commands import sample
from service.demo import http_ask, read_calls, report
from service.demo import replay as replay_demo
from service.errors import CrisisRouterError
from service.host.first_start import prepare
from service.host.supervise import granian_command, supervise
from service.log import UnfailingOutput, configure_log
from service.rules_in_force import read_rules
from service.settings import SETTINGS, Settings, read_settings
from service.store import agencies, keys
from service.store.agencies import Agency
from service.store.database import open_store
from service.tuning.shipped_rules import give_shipped


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(PROGRAM_VERSION, prog_name="crisis-router")
def main() -> None:
    """Recommends who should answer a crisis call: the least coercive help that is safe."""
    # What a person types answers in words of its own; only what is broken is worth a log line.
    configure_log("error")


@main.command()
@plainly
def up() -> None:
    """Run everything on this host: API, pages, Redis, shipper, worker and beat."""
    output = UnfailingOutput(sys.stdout)  # a full disk or a closed terminal stops no part
    sys.exit(supervise(read_settings(), lambda line: print(line, file=output, flush=True)))


@main.command()
@plainly
def serve() -> None:
    """Run the API and the pages only; Redis, shipper and workers run elsewhere."""
    settings = read_settings()
    prepare(settings)
    command = granian_command(settings)
    os.execv(command[0], command)  # noqa: S606  # our own interpreter, and no text of a caller


@main.command()
def settings() -> None:
    """Show every setting, its default and what it is for."""
    for row in SETTINGS:
        default = f"{row.default} {row.unit}" if row.default != "" else f"({row.unit})"
        click.echo(f"{row.variable:<38} {default}\n    {row.help}")


@main.group()
def agency() -> None:
    """Make agencies, show them, and change their settings."""


@agency.command("list")
@plainly
def agency_list() -> None:
    """Show every agency."""
    for one in agencies.all_agencies(standing_store()):
        click.echo(f"{one.id:<20} {one.name:<32} {one.time_zone:<24} {one.ruleset}")


@agency.command("add")
@click.argument("name_of_agency", metavar="ID")
@click.option("--name", required=True, help="Its full name.")
@click.option("--time-zone", required=True, help="An IANA name, such as America/New_York.")
@click.option("--ruleset", default="national-baseline", show_default=True)
@plainly
def agency_add(name_of_agency: str, name: str, time_zone: str, ruleset: str) -> None:
    """Make an agency with a short ID."""
    here = _prepared()
    known = read_rules(here).config.rulesets
    if ruleset not in known:
        raise CrisisRouterError(f"there is no ruleset `{ruleset}`: {', '.join(known)}")
    store = open_store(here.database_url)
    if not name_of_agency.replace("-", "").isalnum() or len(name_of_agency) > 60:
        raise CrisisRouterError("an agency's id is 1 to 60 letters, digits and dashes")
    if agencies.find(store, name_of_agency):
        raise CrisisRouterError(f"there is an agency `{name_of_agency}` already")
    agencies.create(store, Agency(name_of_agency, name, time_zone, ruleset, _now()))
    give_shipped(here, store, _now())
    click.echo(
        f"made agency {name_of_agency}; give it a key with: crisis-router key add {name_of_agency}"
    )


@main.group()
def key() -> None:
    """Make, show and end the keys that systems call with."""


@key.command("add")
@click.argument("name_of_agency", metavar="AGENCY")
@click.option("--role", type=click.Choice(tuple(MAY)), default="dispatch", show_default=True)
@click.option("--label", default="", help="What the key is for.")
@plainly
def key_add(name_of_agency: str, role: str, label: str) -> None:
    """Make a key of a system; it is shown once."""
    store = open_store(_prepared().database_url)
    told = {"role": role, "label": label or f"{role} key"}
    actor = actor_in(store, name_of_agency)
    made = AccessKeys(store, trail_of(store), now).make(actor, told)
    click.echo(made.secret)
    said = f"key {made.key['key_id']} of {name_of_agency}, role {role}"
    click.echo(f"{said}: shown this once", err=True)


@key.command("list")
@click.argument("name_of_agency", metavar="AGENCY")
@plainly
def key_list(name_of_agency: str) -> None:
    """Show an agency's keys, without their secrets."""
    for one in keys.of_agency(standing_store(), name_of_agency):
        state = f"ended {one.revoked_at:%Y-%m-%d %H:%M}" if one.revoked_at else "works"
        click.echo(f"{one.id}  {one.role:<10}  {state:<22}  {one.label}")


@key.command("revoke")
@click.argument("name_of_agency", metavar="AGENCY")
@click.argument("key_id", metavar="KEY")
@plainly
def key_revoke(name_of_agency: str, key_id: str) -> None:
    """End a key; it stops working within a second or two."""
    store = open_store(_prepared().database_url)
    actor = actor_in(store, name_of_agency)
    if not AccessKeys(store, trail_of(store), now).end(actor, key_id):
        raise CrisisRouterError(f"agency `{name_of_agency}` has no working key `{key_id}`")
    click.echo(f"ended key {key_id}")


main.add_command(person)
main.add_command(sample)
for command in (replay, backup, restore, verify, anchor, export, quarantine, forget):
    main.add_command(command)
main.add_command(keys_of_ring, "keys")
agency.add_command(agency_set)


@main.command()
@click.option("--calls", type=click.IntRange(1, 4183), default=4183, show_default=True)
@click.option("--url", default=None, help="The running service; default: this machine's.")
@plainly
def demo(calls: int, url: str | None) -> None:
    """Replay real Seattle calls against the running service, and say how little types tell."""
    here = read_settings()
    secret = _dispatch_key(here)
    sample = read_calls(here.config / "demo" / "seattle_calls.csv")[:calls]
    ask = http_ask(url or f"http://{here.host}:{here.port}", secret)
    replayed = replay_demo(sample, ask, on_progress=_progress)
    click.echo("", err=True)
    click.echo(report(replayed))


def _prepared() -> Settings:
    here = read_settings()
    prepare(here)
    return here


def _dispatch_key(here: Settings) -> str:
    try:
        credentials: dict[str, Any] = json.loads((here.home / "credentials.json").read_text())
    except OSError as error:
        text = (
            f"there is no {here.home / 'credentials.json'}: start the service first, with make run"
        )
        raise CrisisRouterError(text) from error
    return str(credentials["dispatch_key"])


def _progress(done: int, total: int, rate: float) -> None:
    if sys.stderr.isatty() or done == total:
        click.echo(f"\r{done:>5} of {total} calls, {rate:,.0f} a second ", nl=False, err=True)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


if __name__ == "__main__":
    main()
