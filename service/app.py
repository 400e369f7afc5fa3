"""
Joins the parts: one place that opens the journal, the store and the rules, and hands them to the
views.

`create_app` runs once in each process that answers calls, after the fork.
"""

import ctypes
import datetime as dt
import gc
import multiprocessing.util
import os
import signal
import sys
from collections.abc import Callable

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from service.accounts.access_keys import AccessKeys
from service.accounts.agencies import Agencies
from service.accounts.people import People
from service.accounts.sign_in import SignIn
from service.agency_settings import ReviewRules, settings_of
from service.alerts import Alerts
from service.api.access_keys import access_keys_blueprint
from service.api.agency import agency_blueprint
from service.api.alerts import alerts_blueprint
from service.api.audit import audit_blueprint
from service.api.calls import calls_blueprint
from service.api.decisions import decisions_blueprint
from service.api.description import description_blueprint
from service.api.dispatches import dispatches_blueprint
from service.api.drafts import drafts_blueprint
from service.api.eido import eido_blueprint
from service.api.export import export_blueprint
from service.api.findings import findings_blueprint
from service.api.health import health_blueprint
from service.api.incident_types import incident_types_blueprint
from service.api.log import log_blueprint
from service.api.people import people_blueprint
from service.api.problems import handle_errors
from service.api.quarantine import quarantine_blueprint
from service.api.retention import retention_blueprint
from service.api.reviews import reviews_blueprint
from service.api.rulesets import rulesets_blueprint
from service.api.simulations import simulations_blueprint
from service.audit import Audit
from service.chain.logs import Logs
from service.decisions import Decisions
from service.disclosures import Disclosures
from service.dispatch_request import dispatch_schema
from service.dispatches import Dispatches
from service.encryption import open_key_ring, session_key
from service.erasures import Erasures
from service.front import PageSessions, guarded
from service.host.process_list import Announcement
from service.host.signs_of_life import SignOfLife
from service.journal import Journal
from service.legal_holds import LegalHolds
from service.log import configure_log
from service.metrics import make_metrics
from service.pages.access_keys import access_keys_pages
from service.pages.admin import admin_pages
from service.pages.agency import agency_pages
from service.pages.alerts import alerts_pages
from service.pages.audit import audit_pages
from service.pages.call import call_pages
from service.pages.decision import decision_pages
from service.pages.decisions import decisions_pages
from service.pages.frame import frame_pages, nothing_here
from service.pages.incident_types import incident_types_pages
from service.pages.log import log_pages
from service.pages.people import people_pages
from service.pages.practice import practice_pages
from service.pages.retention import retention_pages
from service.pages.reviews import review_pages
from service.pages.rules import rule_pages
from service.pages.sign_in import sign_in_pages
from service.pages.state import state_pages
from service.pages.try_again import try_pages
from service.parts import Parts
from service.quarantine import Quarantine
from service.records import Records
from service.replay import Replay
from service.request import decision_schema, simulation_schema
from service.reviewing.blindness import Blindness
from service.reviewing.findings import Findings
from service.reviewing.review_request import finding_schema
from service.reviewing.reviews import Reviews
from service.rules_in_force import RulesInForce, read_rules, rulesets_shown
from service.settings import Settings, read_settings
from service.store.database import open_store
from service.surroundings import Surroundings
from service.threads_at_work import ThreadsAtWork
from service.tuning.checks import Checks
from service.tuning.drafts import Drafts
from service.tuning.live_rules import LiveRules
from service.tuning.publishing import Publishing
from service.tuning.trials import Trials
from service.type_mappings import TypeMappings

PR_SET_PDEATHSIG = 1


def create_app() -> Flask:
    """
    Make the application of this process, from the settings of its environment.
    """
    _die_with_parent()
    settings = read_settings()
    alive = SignOfLife(settings.home, "api")
    alive.begin()
    configure_log(keep=settings.home / "logs" / "api.log")
    parts, close = join(settings)
    app = make_flask(parts)
    threads = ThreadsAtWork(app.wsgi_app, settings.api_threads, settings.request_s_max)
    app.wsgi_app = threads  # type: ignore[method-assign]  # as Flask's manual has it
    alive.start(lambda: not threads.is_stuck())

    def end() -> None:
        alive.end()
        close()

    multiprocessing.util.Finalize(None, end, exitpriority=10)
    # What was read at the start stays for good: the collector need not walk it again and again.
    gc.freeze()
    return app


def join(
    settings: Settings, now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC)
) -> tuple[Parts, Callable[[], None]]:
    """
    Join the parts of one process; gives them, and what closes them.
    """
    rules = read_rules(settings)
    metrics = make_metrics()
    store = open_store(settings.database_url)
    surroundings = Surroundings(settings, store)

    announcement = Announcement(settings.home)

    def say_rules() -> None:
        announcement.say(rulesets_shown(rules, surroundings.seen.agencies.values()))

    say_rules()
    has_store = surroundings.seen.has_store
    live_rules = LiveRules(settings, store, rules, now, say_rules, has_store=has_store)
    surroundings.on_look(say_rules)
    journal = Journal(settings)
    key_ring = open_key_ring(settings)
    decisions = Decisions(
        rules,
        journal,
        key_ring,
        surroundings,
        fingerprint_key=session_key(settings),
        is_only_host=settings.hosts == 1,
        journal_wait_s_max=settings.journal_wait_s_max,
        now=now,
        on_unknown_code=lambda registry: metrics.unknown_codes.labels(registry).inc(),
    )
    request = decision_schema(rules.config.vocabulary, settings.remarks_characters_max)
    report_schema = dispatch_schema(rules.config.vocabulary)()
    dispatches = Dispatches(
        report_schema,
        journal,
        store,
        key_ring,
        reasons=lambda agency: settings_of(agency.settings, rules.config.agency).dispatch_reasons,
        fingerprint_key=session_key(settings),
        is_only_host=settings.hosts == 1,
        now=now,
    )
    trail = Audit(store, now, has_store=lambda: surroundings.seen.has_store)
    drafts = Drafts(rules, store, trail, now)
    blind = Blindness(store, journal, now)
    records = Records(journal, store, key_ring, surroundings)
    holds = LegalHolds(store, trail, key_ring, now)
    parts = Parts(
        settings=settings,
        rules=rules,
        journal=journal,
        store=store,
        surroundings=surroundings,
        decisions=decisions,
        dispatches=dispatches,
        records=records,
        replay=Replay(rules, journal, store, key_ring, trail),
        metrics=metrics,
        audit=trail,
        logs=Logs(store, trail, now),
        alerts=Alerts(store, trail, key_ring, now),
        quarantine=Quarantine(store, trail, now),
        people=People(store, trail, now),
        access_keys=AccessKeys(store, trail, now),
        agencies=Agencies(store, trail, lambda: rules.config.agency, now),
        type_mappings=TypeMappings(
            *(store, trail, rules.config.vocabulary, rules.config.incident_types, now)
        ),
        blind=blind,
        reviews=Reviews(
            *(store, journal, records, blind, trail),
            rules=lambda agency: _review_rules(rules, surroundings, agency),
            now=now,
        ),
        findings=Findings(
            *(store, finding_schema(rules.config.vocabulary), blind, trail),
            key_ring=key_ring,
            vocabulary=rules.config.vocabulary,
            published=rules.published,
            add_scenario=drafts.add_scenario,
            now=now,
        ),
        legal_holds=holds,
        erasures=Erasures(store, journal, trail, key_ring=key_ring, holds=holds, now=now),
        disclosures=Disclosures(store, trail, now),
        sign_in=SignIn(settings, store, key_ring, surroundings, trail=trail, now=now),
        live_rules=live_rules,
        drafts=drafts,
        trials=Trials(rules, store),
        checks=Checks(store, trail, now),
        publishing=Publishing(rules, store, trail, now, live_rules.bell),
        key_ring=key_ring,
        now=now,
        decision_schema=request(),
        simulation_schema=simulation_schema(request)(),
        dispatch_schema=report_schema,
    )

    def close() -> None:
        live_rules.close()
        surroundings.close()
        journal.close()
        store.dispose()
        announcement.take_back()

    return parts, close


def _review_rules(rules: RulesInForce, surroundings: Surroundings, agency: str) -> ReviewRules:
    found = surroundings.seen.agencies.get(agency)
    return settings_of(found.settings if found else {}, rules.config.agency).review


def make_flask(parts: Parts) -> Flask:
    """
    Make the WSGI application around joined parts.
    """
    app = Flask("service", static_folder=None, template_folder="pages/templates")
    # One byte more than is taken, so that a body sent in chunks, which is cut there, shows itself.
    app.config["MAX_CONTENT_LENGTH"] = parts.settings.body_bytes_max + 1
    # A call's id may hold slashes, and nobody is sent on to another call's address.
    app.url_map.strict_slashes = app.url_map.merge_slashes = False
    app.config["MAX_FORM_MEMORY_SIZE"] = parts.settings.body_bytes_max
    app.session_interface = PageSessions()
    app.secret_key = session_key(parts.settings)
    for make in (
        decisions_blueprint,
        eido_blueprint,
        dispatches_blueprint,
        export_blueprint,
        simulations_blueprint,
        calls_blueprint,
        alerts_blueprint,
        people_blueprint,
        access_keys_blueprint,
        agency_blueprint,
        audit_blueprint,
        log_blueprint,
        quarantine_blueprint,
        incident_types_blueprint,
        retention_blueprint,
        reviews_blueprint,
        findings_blueprint,
        rulesets_blueprint,
        drafts_blueprint,
        health_blueprint,
        description_blueprint,
        frame_pages,
        sign_in_pages,
        admin_pages,
        people_pages,
        access_keys_pages,
        agency_pages,
        audit_pages,
        incident_types_pages,
        retention_pages,
        alerts_pages,
        state_pages,
        rule_pages,
        call_pages,
        review_pages,
        practice_pages,
        decisions_pages,
        decision_pages,
        log_pages,
        try_pages,
    ):
        app.register_blueprint(make(parts))
    handle_errors(app, parts.metrics, lambda: nothing_here(parts))
    app.wsgi_app = guarded(app.wsgi_app)  # type: ignore[method-assign, assignment]  # as Flask's manual has it
    if parts.settings.proxies:
        trusted = parts.settings.proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, trusted, trusted, trusted)  # type: ignore[method-assign]  # as above
    return app


def _die_with_parent() -> None:
    """
    End this process at once when its parent ends, however the parent ends. Linux only; SIGKILL,
    since a SIGTERM during start is swallowed by the server.
    """
    if sys.platform != "linux":
        return
    parent = os.getppid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
