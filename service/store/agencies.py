"""
Keep the agencies: everything else in the store belongs to one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import JSON, Column, Connection, Engine, String, Table, Text, select, update

from service.errors import SettingsError
from service.store.database import Instant, metadata, reading, writing

agencies = Table(
    "agencies",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", Text, nullable=False),
    Column("time_zone", String(64), nullable=False),
    Column("ruleset", String(200), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("settings", JSON, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Agency:
    """
    One agency: a short id, its name, its IANA time zone, and the ruleset that it decides with.

    `settings` holds only what the agency has set otherwise than `config/agency.yaml`.
    """

    id: str
    name: str
    time_zone: str
    ruleset: str
    created_at: datetime
    settings: Mapping[str, Any] = field(default_factory=dict)


def add(connection: Connection, agency: Agency) -> None:
    """
    Add *agency* within the caller's transaction.

    Raises:
        SettingsError: its time zone is not one of the IANA names.
    """
    try:
        ZoneInfo(agency.time_zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise SettingsError(
            f"`{agency.time_zone}` is not a time zone: give an IANA name such as `America/New_York`"
        ) from error
    values = {name: getattr(agency, name) for name in Agency.__slots__}
    connection.execute(agencies.insert().values({**values, "settings": dict(agency.settings)}))


def create(engine: Engine, agency: Agency) -> None:
    """
    Add *agency* in a transaction of its own.
    """
    with writing(engine) as connection:
        add(connection, agency)


def find(engine: Engine, agency_id: str) -> Agency | None:
    """
    Give the agency with this id, or None.
    """
    with reading(engine) as connection:
        row = connection.execute(select(agencies).where(agencies.c.id == agency_id)).one_or_none()
    return Agency(**row._mapping) if row else None


def all_agencies(engine: Engine) -> tuple[Agency, ...]:
    """
    Give every agency, by id.
    """
    with reading(engine) as connection:
        rows = connection.execute(select(agencies).order_by(agencies.c.id)).all()
    return tuple(Agency(**row._mapping) for row in rows)


def set_ruleset(engine: Engine, agency_id: str, ruleset: str) -> bool:
    """
    Let an agency decide with another ruleset; False if there is no such agency.
    """
    with writing(engine) as connection:
        done = connection.execute(
            update(agencies).where(agencies.c.id == agency_id).values(ruleset=ruleset)
        )
    return done.rowcount == 1


def locked(connection: Connection, agency_id: str) -> Agency | None:
    """
    Give an agency within the caller's transaction, and let nobody else change it or its people
    until that ends; None if there is none.
    """
    # On SQLite a transaction that writes is the only one anyway.
    query = select(agencies).where(agencies.c.id == agency_id).with_for_update()
    row = connection.execute(query).one_or_none()
    return Agency(**row._mapping) if row else None


def set_settings(
    connection: Connection,
    agency_id: str,
    settings: Mapping[str, Any],
    time_zone: str,
    name: str | None = None,
) -> bool:
    """
    Keep what an agency has set otherwise, its time zone, and its name if one is given, within the
    caller's transaction; False if there is no such agency.
    """
    values: dict[str, Any] = {"settings": dict(settings), "time_zone": time_zone}
    if name is not None:
        values["name"] = name
    done = connection.execute(update(agencies).where(agencies.c.id == agency_id).values(**values))
    return done.rowcount == 1
