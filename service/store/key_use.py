"""
Count what the store holds that was sealed with a key.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Column, Engine, Text, cast, func, select
from sqlalchemy.sql.functions import Function

from service.store.alerts import alerts
from service.store.database import reading
from service.store.decisions import decisions, repeats
from service.store.dispatches import dispatches
from service.store.erasures import erasures
from service.store.findings import findings
from service.store.legal_holds import holds
from service.store.people import people
from service.store.quarantined import quarantined
from service.store.sealed import has_sealed
from service.verify_log import SEALED


def count(engine: Engine, key: str) -> int:
    """
    Count the rows with a text that was sealed with this key: records, those in quarantine too,
    comments, the reasons of holds and erasures, and second factors.
    """
    found = 0
    with reading(engine) as connection:
        for table in (decisions, repeats, dispatches):
            is_by = cast(table.c.body, Text).contains(f'"{SEALED}{key}:', autoescape=True)
            query = select(func.count()).select_from(table).where(has_sealed(table), is_by)
            found += connection.execute(query).scalar_one()
        sealed = f"{SEALED}{key}:".encode()
        query = select(func.count()).where(_begins(engine, quarantined.c.body, sealed) > 0)
        found += connection.execute(query).scalar_one()
        for column in _columns():
            is_by = column.startswith(f"{SEALED}{key}:", autoescape=True)
            query = select(func.count()).select_from(column.table).where(is_by)
            found += connection.execute(query).scalar_one()
    return found


def _begins(engine: Engine, column: Column[Any], piece: bytes) -> Function[int]:
    """
    Give where a piece begins in a column of bytes, counted from 1; 0 where it is not in it.
    """
    if engine.dialect.name == "postgresql":
        return func.pg_catalog.position(column, piece)
    return func.instr(column, piece)


def _columns() -> Iterator[Column[Any]]:
    yield findings.c.comment
    yield alerts.c.comment
    yield holds.c.reason
    yield holds.c.matter
    yield holds.c.lift_reason
    yield erasures.c.reason
    yield people.c.totp_secret
