"""
Every limit, address and secret the program reads from its environment, in one typed table.

Read once at start and passed on. It must not hold a preference about routing: those live in
`config/`.
"""

import math
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from service.errors import SettingsError

PREFIX = "CRISIS_ROUTER_"
REDIS_SCHEMES = ("redis://", "rediss://", "redis+socket://", "unix://")


@dataclass(frozen=True, slots=True)
class Setting:
    """
    One row of the table: its name in the environment, its default, its unit and one line of help.
    """

    name: str
    default: Any
    unit: str
    help: str
    least: float = 0

    @property
    def variable(self) -> str:
        """
        Give the name of the environment variable.
        """
        return "PORT" if self.name == "port" else PREFIX + self.name.upper()


SETTINGS = (
    Setting(
        "port",
        8000,
        "TCP port",
        "where the service listens, on 127.0.0.1 unless `host` says otherwise",
    ),
    Setting("host", "127.0.0.1", "address", "address that the service listens on"),
    Setting("home", "var", "folder", "state of this host: journal, store, keys, credentials"),
    Setting(
        "config", "", "folder", "vocabulary, rulesets and tables; empty means the shipped ones"
    ),
    Setting(
        "database_url",
        "",
        "URL",
        "the store, such as `postgresql://user:password@host:5432/name`; without a password the"
        " one of `~/.pgpass` counts; empty means SQLite under `home`",
    ),
    Setting("redis_url", "", "URL", "the queue; empty means a private one that `up` starts"),
    Setting(
        "encryption_keys", "", "id:base64, ...", "keys for text about a person, the newest first"
    ),
    Setting("session_key", "", "text", "signs the forms of the pages"),
    Setting(
        "sampling_key", "", "text", "draws the random sample of reviews; the same on every host"
    ),
    Setting("api_processes", 2, "processes", "processes that answer calls", 1),
    Setting("api_threads", 4, "threads", "threads in each of them", 1),
    Setting("body_bytes_max", 262_144, "bytes", "largest request body; 413 above it"),
    Setting(
        "ruleset_bytes_max", 2_097_152, "bytes", "largest ruleset or its scenarios; 413 above it"
    ),
    Setting("body_depth_max", 32, "levels", "deepest nesting of a JSON body; 400 above it"),
    Setting("remarks_characters_max", 65_536, "characters", "longest remark; 422 above it"),
    Setting("page_items_max", 200, "items", "most items in one page of a list"),
    Setting("journal_batch_max", 256, "records", "most records in one transaction of the journal"),
    Setting(
        "journal_waiting_max",
        1024,
        "records",
        "most requests that wait for the journal; 503 above it",
    ),
    Setting("journal_wait_s_max", 1.2, "seconds", "longest wait for the journal before a 503"),
    # A bound against a disk that fills unseen while the store is away, not a size to come near.
    Setting(
        "journal_bytes_max",
        4_294_967_296,
        "bytes",
        "largest journal; above it decisions are answered but not recorded (503)",
        1_048_576,
    ),
    Setting(
        "disk_free_bytes_min",
        536_870_912,
        "bytes",
        "less free on the journal's disk degrades `/readyz`",
    ),
    Setting(
        "backlog_s_max",
        10.0,
        "seconds",
        "a record that waits longer for the store degrades `/readyz`",
    ),
    Setting("journal_keep_h", 24, "hours", "how long the journal keeps what the store has"),
    Setting("calls_keep_h", 720, "hours", "how long the journal remembers a call's last revision"),
    Setting("ship_batch_max", 200, "records", "most records in one task to the workers"),
    Setting("ship_every_s", 0.2, "seconds", "how often the shipper looks at the journal"),
    Setting(
        "ship_again_s", 10.0, "seconds", "how long the shipper waits before it sends records again"
    ),
    Setting(
        "ship_flight_max",
        1000,
        "records",
        "most records sent to the workers and not yet in the store",
    ),
    Setting(
        "ship_flight_bytes_max",
        16_777_216,
        "bytes",
        "most of them by their size, so that Redis never holds more; one larger record goes alone",
    ),
    Setting(
        "ship_bytes_max",
        1_048_576,
        "bytes",
        "largest task to the workers, unless one record is larger",
    ),
    Setting("ship_drain_s_max", 5.0, "seconds", "how long a stopping shipper waits for the store"),
    Setting("store_wait_s_max", 2.0, "seconds", "longest wait for a connection to the store"),
    Setting(
        "log_bytes_max", 10_485_760, "bytes", "a part's log above it is put aside at the next start"
    ),
    Setting("keys_refresh_s", 1.0, "seconds", "how often a process looks for changed keys"),
    Setting(
        "hosts",
        1,
        "hosts",
        "hosts that take calls for the same agencies; above 1 a revision is known once stored",
    ),
    # Source of the four limits: NIST SP 800-63B-4 (a session of AAL2 ends within 24 h, and after an
    # hour of idleness as a rule); a shift on a dispatch floor is 12 h, and a console stands between
    # calls, so idleness is longer here: set it shorter where the floor is not a locked room.
    Setting("session_s_max", 50_400, "seconds", "longest session; then one signs in again", 60),
    Setting("session_idle_s_max", 14_400, "seconds", "an idle session ends after it", 60),
    Setting("password_characters_min", 12, "characters", "shortest password", 8),
    Setting("lockout_s", 900, "seconds", "failed sign-ins are counted this far back", 60),
    Setting("lockout_account_tries", 10, "tries", "failures that lock an account for a while", 3),
    Setting("lockout_address_tries", 50, "tries", "failures that lock an address for a while", 3),
    Setting(
        "proxies",
        0,
        "proxies",
        "reverse proxies in front whose `X-Forwarded-*` is believed; above 0 cookies need https",
    ),
    Setting("verify_every_s", 300, "seconds", "how often the new part of each log is verified", 10),
    Setting(
        "verify_whole_hour",
        9,
        "hour of the day, UTC",
        "when each log is verified as a whole, daily",
    ),
    Setting(
        "backup_s_max",
        21_600.0,
        "seconds",
        "longest time for PostgreSQL's own programs to copy the store",
        1,
    ),
    Setting("stop_s_max", 10.0, "seconds", "how long a part may take to stop before it is ended"),
    # A part that hangs is back within 10 s: 5 s without a sign, and what a start takes.
    Setting("still_s_max", 5.0, "seconds", "a part that gives no sign of life so long is ended", 3),
    Setting(
        "busy_s_max", 30.0, "seconds", "the same of a part that works or waits for a processor", 3
    ),
    Setting("start_s_max", 180.0, "seconds", "a part that gives no first sign so long is ended", 5),
    Setting("request_s_max", 15.0, "seconds", "a process whose threads all take longer is ended"),
    Setting("task_s_max", 60.0, "seconds", "a worker with a task that takes longer is ended", 1),
    Setting("round_s_max", 60.0, "seconds", "a shipper whose round takes longer is ended", 1),
    Setting("idle_s_max", 8.0, "seconds", "a worker that leaves tasks waiting longer is ended", 5),
)


@dataclass(frozen=True, slots=True)
class Settings:
    """
    The settings in force. Folders are absolute; URLs are complete; secrets never appear in `repr`.
    """

    port: int
    host: str
    home: Path
    config: Path
    database_url: str
    redis_url: str
    encryption_keys: str
    session_key: str
    sampling_key: str
    api_processes: int
    api_threads: int
    body_bytes_max: int
    ruleset_bytes_max: int
    body_depth_max: int
    remarks_characters_max: int
    page_items_max: int
    journal_batch_max: int
    journal_waiting_max: int
    journal_wait_s_max: float
    journal_bytes_max: int
    disk_free_bytes_min: int
    backlog_s_max: float
    journal_keep_h: int
    calls_keep_h: int
    ship_batch_max: int
    ship_every_s: float
    ship_again_s: float
    ship_flight_max: int
    ship_flight_bytes_max: int
    ship_bytes_max: int
    ship_drain_s_max: float
    store_wait_s_max: float
    log_bytes_max: int
    keys_refresh_s: float
    hosts: int
    session_s_max: int
    session_idle_s_max: int
    password_characters_min: int
    lockout_s: int
    lockout_account_tries: int
    lockout_address_tries: int
    proxies: int
    verify_every_s: int
    verify_whole_hour: int
    backup_s_max: float
    stop_s_max: float
    still_s_max: float
    busy_s_max: float
    start_s_max: float
    request_s_max: float
    task_s_max: float
    round_s_max: float
    idle_s_max: float

    def __repr__(self) -> str:
        """
        Name the home only: the rest may hold secrets.
        """
        return f"Settings(home={str(self.home)!r})"

    @property
    def journal_path(self) -> Path:
        """
        Give the file of this host's journal.
        """
        return self.home / "journal.sqlite"


def read_settings(environment: dict[str, str] | None = None) -> Settings:
    """
    Read every setting from *environment* (default: the process's own), all mistakes at once.

    Raises:
        SettingsError: names each variable that cannot be read, and what it must be.
    """
    found = dict(os.environ) if environment is None else environment
    values: dict[str, Any] = {}
    problems: list[str] = []
    for row in SETTINGS:
        text = found.get(row.variable, "").strip()
        try:
            values[row.name] = _read(row, text) if text else row.default
        except ValueError:
            least = "" if isinstance(row.default, str) else f", {row.least:g} or more"
            way_out = f"in {row.unit}{least}, such as `{row.default}`"
            problems.append(f"`{row.variable}` must be given {way_out}")
    if values.get("redis_url") and not values["redis_url"].startswith(REDIS_SCHEMES):
        schemes = ", ".join(REDIS_SCHEMES)
        problems.append(f"`{PREFIX}REDIS_URL` must begin with one of {schemes}")
    if problems:
        raise SettingsError("; ".join(problems))
    home = Path(values["home"]).expanduser().absolute()
    values["home"] = home
    values["config"] = Path(values["config"] or shipped_config()).absolute()
    values["database_url"] = values["database_url"] or f"sqlite:///{home / 'store.sqlite'}"
    return Settings(**values)


def _read(row: Setting, text: str) -> Any:
    """
    Read one value as the type of its default; a number must be finite and no less than its least.
    """
    value = type(row.default)(text)
    if not isinstance(value, str) and not row.least <= value < math.inf:
        raise ValueError
    return value


def shipped_config() -> Path:
    """
    Give the folder of configuration that travels with the program.
    """
    beside = Path(__file__).resolve().parent.parent / "config"
    return beside if beside.is_dir() else Path(sys.prefix) / "share" / "crisis-router" / "config"
