"""
What every command shares: errors as one line, and the store of this host as it stands.
"""

import sys
from datetime import UTC, datetime
from functools import wraps
from typing import Any

import click
from marshmallow import ValidationError
from sqlalchemy import Engine

from service.access import Actor, command_line
from service.audit import Audit
from service.errors import CrisisRouterError
from service.host.first_start import is_prepared, prepare
from service.host.restore import refuse_unfinished
from service.journal import aside
from service.settings import Settings, read_settings
from service.store import agencies
from service.store.database import open_store
from service.store.migration import is_current

FAULTS_SHOWN_MAX = 20


def plainly(command: Any) -> Any:
    """
    Run a command so that an error a person can mend is one line, and no stack trace.
    """

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except ValidationError as error:
            click.echo("; ".join(_faults(error.messages, "")[:FAULTS_SHOWN_MAX]), err=True)
            sys.exit(1)
        except CrisisRouterError as error:
            click.echo(str(error), err=True)
            sys.exit(1)

    return run


def prepared() -> Settings:
    """
    Read the settings, and make what the home and the store lack.
    """
    here = read_settings()
    prepare(here)
    return here


def standing_store() -> Engine:
    """
    Open the store of a home that is there: a command that only looks makes none.

    Raises:
        CrisisRouterError: there is no home.
    """
    here = read_settings()
    if not is_prepared(here):
        raise CrisisRouterError(
            f"there is no service at `{here.home}`: start it first, with make run, or say where it"
            " is with CRISIS_ROUTER_HOME=/folder"
        )
    return open_store(here.database_url, wait_s_max=here.store_wait_s_max)


def store_of_log() -> Engine:
    """
    Open the store of a home that is there, or that a restore has filled and nobody has started yet.

    Raises:
        CrisisRouterError: there is no home, its restore was cut short, or what was restored is of
            an older program.
    """
    here = read_settings()
    if is_prepared(here) or not waits_for_shipping(here):
        return standing_store()
    refuse_unfinished(here.home)
    store = open_store(here.database_url, wait_s_max=here.store_wait_s_max)
    if not is_current(store):
        store.dispose()
        raise CrisisRouterError(
            "there is no restored store here, or one of an older program: start the service first,"
            " which brings it up to date"
        )
    return store


def waits_for_shipping(here: Settings) -> bool:
    """
    Tell whether the journal that a restore brought back is not in the store yet.
    """
    return any(not (one.is_damaged or one.is_done) for one in aside.listed(here.home))


def actor_in(store: Engine, agency: str) -> Actor:
    """
    Give who acts when a command is typed, in an agency that is there.

    Raises:
        CrisisRouterError: there is no such agency.
    """
    if not agency.isprintable() or agencies.find(store, agency) is None:
        raise CrisisRouterError(f"there is no agency `{agency}`: see crisis-router agency list")
    return command_line(agency)


def trail_of(store: Engine) -> Audit:
    """
    Give the audit trail of a store.
    """
    return Audit(store, now)


def now() -> datetime:
    """
    Give the time.
    """
    return datetime.now(UTC)


def _faults(messages: Any, path: str) -> list[str]:
    """
    Say every fault of what was typed, each with its place.
    """
    if isinstance(messages, dict) and isinstance(messages.get("message"), str):
        return [f"{path} {messages['message']}".strip()]
    if isinstance(messages, dict):
        inner = [
            _faults(one, f"{path}.{name}" if path else str(name)) for name, one in messages.items()
        ]
        return [said for listed in inner for said in listed]
    if isinstance(messages, list):
        return [said for one in messages for said in _faults(one, path)]
    return [f"{path} {messages}".strip().rstrip(".")]
