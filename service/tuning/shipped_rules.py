"""
Gives each agency the rulesets that travel with the program.

What an agency does not have is published as its first version, under the author `shipped`. A newer
file becomes a draft by `shipped`, if there is none; nothing newer is ever published by itself.
"""

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError

from service.rulesets import Config, digest_of, load_config
from service.settings import Settings
from service.store import agencies, audit, drafts, rulesets
from service.store.audit import Entry
from service.store.database import writing
from service.store.drafts import Draft
from service.store.rulesets import SHIPPED, Live, Version
from service.tuning import ruleset_text
from service.yaml_files import read_yaml, read_yaml_text

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Shipped:
    """
    A ruleset as its files have it.
    """

    name: str
    text: str
    content: Mapping[str, Any]
    scenarios: list[Mapping[str, Any]]
    digest: str


def give_shipped(settings: Settings, store: Engine, now: dt.datetime) -> None:
    """
    Bring every agency up to what the files of `settings.config` hold. Files that cannot be read
    change nothing.

    Raises:
        StoreUnavailableError: the store cannot be reached.
    """
    try:
        config = load_config(settings.config)
        found = read_shipped(settings, config)
    except Exception as fault:  # noqa: BLE001  # files of any kind must not keep the service from starting
        log.error("shipped_rules_not_read", error=type(fault).__name__)
        return
    taken = rulesets.shipped_digests(store)
    for agency in agencies.all_agencies(store):
        for one in found:
            if taken.get((agency.id, one.name)) != one.digest:
                _give(store, config, agency.id, one, now)


def read_shipped(settings: Settings, config: Config) -> list[Shipped]:
    """
    Read the rulesets of the files, each with its scenarios.
    """
    found = []
    for path in sorted((settings.config / "rulesets").glob("*/rules.yaml")):
        text = path.read_text(encoding="utf-8")
        document, _ = read_yaml_text(text)
        published = config.rulesets[document["name"]]
        beside = path.with_name("scenarios.yaml")
        scenarios = read_yaml(beside)[0]["scenarios"] if beside.exists() else []
        found.append(Shipped(published.name, text, published.content, scenarios, published.digest))
    return found


def _give(store: Engine, config: Config, agency: str, one: Shipped, now: dt.datetime) -> None:
    try:
        with writing(store) as connection:
            if rulesets.newest_number(connection, agency, one.name) == 0:
                _publish(connection, agency, one, now)
            elif not _begin_draft(connection, config, agency, one, now):
                return  # somebody is at work on a draft: the next start asks again
            rulesets.set_shipped(connection, agency, one.name, one.digest)
    except IntegrityError:
        log.info("shipped_rules_given_by_another", agency=agency, ruleset=one.name)


def _publish(connection: Connection, agency: str, one: Shipped, now: dt.datetime) -> None:
    version = Version(
        agency=agency,
        name=one.name,
        version=1,
        digest=one.digest,
        text=one.text,
        form="yaml",
        content=one.content,
        scenarios=one.scenarios,
        authors=[{"identity": SHIPPED, "name": SHIPPED}],
        draft_id=None,
        approver=None,
        approver_name=None,
        comment=None,
        accepts=(),
        published_by=SHIPPED,
        published_name=SHIPPED,
        published_at=now,
    )
    rulesets.add_version(connection, version)
    rulesets.set_live(connection, Live(agency, one.name, 1, now, SHIPPED, SHIPPED))
    audit.add(connection, _entry(agency, "published", one, now, version=1))


def _begin_draft(
    connection: Connection, config: Config, agency: str, one: Shipped, now: dt.datetime
) -> bool:
    live = rulesets.find_version(connection, agency, one.name)
    # The digest covers the tables of the program too: rules that are the same are no news.
    if live is not None and digest_of(live.content) == digest_of(one.content):
        return True
    if drafts.find(connection, agency, one.name) is not None:
        return False
    read = ruleset_text.read_text(config.vocabulary, one.text, one.name)
    draft = Draft(
        id=drafts.new_id(),
        agency=agency,
        name=one.name,
        revision=1,
        digest=one.digest,
        base_version=live.version if live else 0,
        text=one.text,
        form="yaml",
        content=read.content,
        problems=[ruleset_text.shown(problem) for problem in read.problems],
        scenarios=one.scenarios,
        saved_by=SHIPPED,
        saved_name=SHIPPED,
        saved_at=now,
    )
    drafts.add(connection, draft)
    audit.add(connection, _entry(agency, "saved draft", one, now))
    return True


def _entry(agency: str, act: str, one: Shipped, now: dt.datetime, **detail: Any) -> Entry:
    return Entry(
        id=uuid.uuid4().hex,
        agency=agency,
        at=now,
        identity=SHIPPED,
        name=SHIPPED,
        role="program",
        address=None,
        act=act,
        subject_kind="ruleset",
        subject_id=one.name,
        detail={"digest": one.digest, **detail},
    )
