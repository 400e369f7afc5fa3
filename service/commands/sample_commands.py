"""
`crisis-router sample check`: draw the random sample of reviews again, and compare.
"""

import click

from service.agency_settings import settings_of
from service.commands.command_line import plainly, standing_store
from service.encryption import sampling_key
from service.errors import CrisisRouterError
from service.reviewing.sample import compare
from service.rules_in_force import read_rules
from service.settings import read_settings
from service.store import agencies


@click.group()
def sample() -> None:
    """Draw the random sample of reviews again."""


@sample.command()
@click.argument("name_of_agency", metavar="AGENCY")
@click.option("--week", required=True, help="An ISO week, such as 2026-W47.")
@plainly
def check(name_of_agency: str, week: str) -> None:
    """Draw a week's sample again, and compare it with the queue of reviews."""
    store, here = standing_store(), read_settings()
    agency = agencies.find(store, name_of_agency) if name_of_agency.isprintable() else None
    if agency is None:
        raise CrisisRouterError(
            f"there is no agency `{name_of_agency}`: see crisis-router agency list"
        )
    rules = settings_of(agency.settings, read_rules(here).config.agency).review
    found = compare(store, agency, week, sampling_key(here), rules)
    click.echo(f"{week}: {len(found.drawn)} of {found.calls} calls are in the sample")
    for name in ("forged", "uncounted", "missing", "extra"):
        for call_id in getattr(found, name):
            click.echo(f"{name:<10} {call_id}")
    if not found.is_right:
        raise CrisisRouterError("the queue is not what the key draws")
    click.echo("the queue is what the key draws")
