"""
Keeps the rules of this process those that the store says are live.

The row in the store is the truth; Redis only rings the bell, so that nobody waits for the next
look. What was published is compiled beside the requests, and then one reference is swapped. What
cannot be loaded leaves the old one in force, and says so. What is in force is kept on disk, for a
start with the store away.
"""

import datetime as dt
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson
import structlog
from redis.exceptions import RedisError
from sqlalchemy import Engine

from service.alerts import RULES_NOT_LOADED
from service.errors import CrisisRouterError, StoreUnavailableError
from service.kept_file import KeptFile
from service.redis_client import connect
from service.rules_in_force import AgencyRules, RulesInForce
from service.rulesets import Published
from service.settings import Settings
from service.store import alerts, rulesets
from service.store.alerts import Alert
from service.tuning.kept_rules import KeptRules

log = structlog.get_logger()
CHANNEL: Final = "crisis_router:rules"
KEPT: Final = "last_good_rules.json"
COMPILED_MAX: Final = 64  # rulesets kept compiled, most of them shared by many agencies
Key = tuple[str, str]  # an agency and the name of a ruleset


class Bell:
    """
    Rings in every process when rules were published. With Redis away nobody hears it, and each
    process finds out at its next look.
    """

    def __init__(self, url: str) -> None:
        self._queue = connect(url) if url else None
        self._heard: Any = None

    def ring(self) -> None:
        """
        Ring. Never raises.
        """
        if self._queue is None:
            return
        try:
            self._queue.publish(CHANNEL, "published")
        except RedisError as fault:
            log.warning("bell_not_rung", error=type(fault).__name__)

    def is_rung_within(self, wait_s: float, stopping: threading.Event) -> bool:
        """
        Wait for the bell, and no longer than *wait_s*.
        """
        until = time.monotonic() + wait_s
        try:
            if self._queue is not None and self._heard is None:
                made: Any = self._queue
                heard = made.pubsub(ignore_subscribe_messages=True)
                heard.subscribe(CHANNEL)
                self._heard = heard
            while self._heard is not None and not stopping.is_set():
                left = until - time.monotonic()
                if left <= 0:
                    return False
                if self._heard.get_message(timeout=min(left, 0.1)) is not None:
                    return True
        except Exception as fault:  # noqa: BLE001  # whatever a broken line gives, the next look comes
            if not isinstance(fault, RedisError):
                log.error("bell_not_heard", error=type(fault).__name__)
            self._heard = None
        stopping.wait(max(0.0, until - time.monotonic()))
        return False


class LiveRules:
    """
    Looks again and again, in a thread of its own, which versions are live.
    """

    def __init__(
        self,
        settings: Settings,
        store: Engine,
        rules: RulesInForce,
        now: Callable[[], dt.datetime],
        on_swap: Callable[[], object],
        *,
        has_store: bool = True,
    ) -> None:
        self._settings = settings
        self._store = store
        self._rules = rules
        self._now = now
        self._on_swap = on_swap
        self._kept = KeptFile(settings.home / KEPT, "rules_not_kept")
        self._known: dict[Key, int] = {}
        self._kept_rules = KeptRules(rules, store)
        self._compiled = {one.digest: one for one in rules.config.rulesets.values()}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self.bell = Bell(settings.redis_url)
        rules.swap(self._read_kept())
        if has_store:  # a store that hangs would hold up the start
            self.look()
        self._thread = threading.Thread(target=self._run, name="live_rules", daemon=True)
        self._thread.start()

    def look(self) -> None:
        """
        Look once, and swap what has changed. Never raises.
        """
        with self._lock:
            try:
                self._look()
            except StoreUnavailableError:
                return
            except Exception as fault:  # noqa: BLE001  # a look that fails must not be the last one
                log.error("rules_look_failed", error=type(fault).__name__)

    def close(self) -> None:
        """
        Stop looking.
        """
        self._stopping.set()
        self._thread.join(timeout=2)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self.bell.is_rung_within(self._settings.keys_refresh_s, self._stopping)
            if not self._stopping.is_set():
                self.look()

    def _look(self) -> None:
        # Before and after the swap: what decided while the store was away is kept too.
        self._kept_rules.keep(self._now())
        found = rulesets.all_live(self._store)
        if found == self._known:
            if self._kept.is_due:
                self._keep(self._rules.live)
            return
        made = {agency: _open(own) for agency, own in self._rules.live.items()}
        changed = [key for key, version in found.items() if self._known.get(key) != version]
        for key in changed:
            self._take(made.setdefault(key[0], ({}, {})), key, found[key])
        live = {agency: AgencyRules(*own) for agency, own in made.items()}
        self._rules.swap(live)
        self._known = found
        log.info("rules_swapped", changed=[f"{a}/{n}@{found[a, n]}" for a, n in changed][:20])
        self._keep(live)
        self._on_swap()
        self._kept_rules.keep(self._now())

    def _take(
        self, own: tuple[dict[str, Published], dict[str, str]], key: Key, version: int
    ) -> None:
        """
        Load one version beside the others; one that cannot be loaded leaves what is in force.
        """
        agency, name = key
        in_force, faults = own
        row = rulesets.find_version(self._store, agency, name, version)
        try:
            assert row is not None, "a version that is live is in the store"
            in_force[name] = self._compile(row.content, version, row.digest)
        except StoreUnavailableError:
            raise
        except Exception as fault:  # noqa: BLE001  # whatever is wrong with it, the old one decides
            old = in_force.get(name) or self._rules.config.rulesets.get(name)
            stays = f"version {old.version} decides" if old else "911 stays on the line, with EMS"
            faults[name] = f"version {version} of {name} could not be loaded: {stays}"
            log.error("rules_not_loaded", agency=agency, ruleset=name, version=version)
            self._alarm(agency, f"{name}@{version}", faults[name], fault)
        else:
            faults.pop(name, None)

    def _compile(self, content: Mapping[str, Any], version: int, digest: str) -> Published:
        made = self._compiled.get(digest)
        if made is None or made.version != version:
            made = self._rules.config.publish(content, version)
            if len(self._compiled) >= COMPILED_MAX:
                self._compiled.clear()
            self._compiled[digest] = made
        return made

    def _alarm(self, agency: str, subject: str, text: str, fault: Exception) -> None:
        problems = getattr(fault, "problems", ())
        why = f" ({problems[0]})" if problems else ""
        now = self._now()
        alerts.create(
            self._store,
            Alert(
                id=alerts.new_id(),
                agency=agency,
                kind=RULES_NOT_LOADED,
                subject_id=subject[:200],
                call_id=None,
                text=f"{text}{why}"[:2000],
                raised_at=now,
                due_at=now,
            ),
        )

    def _keep(self, live: Mapping[str, AgencyRules]) -> None:
        """
        Keep on disk what is in force; without it only a start with the store away would miss it.
        """
        document = {
            agency: {
                name: {"version": one.version, "digest": one.digest, "content": one.content}
                for name, one in own.rulesets.items()
            }
            for agency, own in live.items()
        }
        try:
            text = orjson.dumps(document, option=orjson.OPT_NON_STR_KEYS).decode()
        except TypeError as fault:
            log.error("rules_not_kept", error=type(fault).__name__)
        else:
            self._kept.put(text)

    def _read_kept(self) -> dict[str, AgencyRules]:
        try:
            document = orjson.loads(self._kept.path.read_bytes())
            return {agency: AgencyRules(self._kept_of(own)) for agency, own in document.items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}

    def _kept_of(self, own: Mapping[str, Any]) -> dict[str, Published]:
        found = {}
        for name, one in own.items():
            try:
                found[name] = self._compile(one["content"], one["version"], one["digest"])
            except CrisisRouterError:
                log.error("kept_rules_not_loaded", ruleset=name)
        return found


def _open(own: AgencyRules) -> tuple[dict[str, Published], dict[str, str]]:
    return dict(own.rulesets), dict(own.faults)
