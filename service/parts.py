"""
The parts of a running process, joined once in `app.py` and handed to every blueprint.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from marshmallow import Schema
from sqlalchemy import Engine

from service.accounts.access_keys import AccessKeys
from service.accounts.agencies import Agencies
from service.accounts.people import People
from service.accounts.sign_in import SignIn
from service.alerts import Alerts
from service.audit import Audit
from service.chain.logs import Logs
from service.decisions import Decisions
from service.disclosures import Disclosures
from service.dispatches import Dispatches
from service.encryption import KeyRing
from service.erasures import Erasures
from service.journal import Journal
from service.legal_holds import LegalHolds
from service.metrics import Metrics
from service.quarantine import Quarantine
from service.records import Records
from service.replay import Replay
from service.reviewing.blindness import Blindness
from service.reviewing.findings import Findings
from service.reviewing.reviews import Reviews
from service.rules_in_force import RulesInForce
from service.settings import Settings
from service.surroundings import Surroundings
from service.tuning.checks import Checks
from service.tuning.drafts import Drafts
from service.tuning.live_rules import LiveRules
from service.tuning.publishing import Publishing
from service.tuning.trials import Trials
from service.type_mappings import TypeMappings


@dataclass(frozen=True, slots=True)
class Parts:
    """
    Everything a view may reach for.
    """

    settings: Settings
    rules: RulesInForce
    journal: Journal
    store: Engine
    surroundings: Surroundings
    decisions: Decisions
    dispatches: Dispatches
    records: Records
    replay: Replay
    metrics: Metrics
    audit: Audit
    logs: Logs
    alerts: Alerts
    quarantine: Quarantine
    people: People
    access_keys: AccessKeys
    agencies: Agencies
    type_mappings: TypeMappings
    blind: Blindness
    reviews: Reviews
    findings: Findings
    legal_holds: LegalHolds
    erasures: Erasures
    disclosures: Disclosures
    sign_in: SignIn
    live_rules: LiveRules
    drafts: Drafts
    trials: Trials
    checks: Checks
    publishing: Publishing
    key_ring: KeyRing
    now: Callable[[], dt.datetime]
    decision_schema: Schema
    simulation_schema: Schema
    dispatch_schema: Schema
