"""
Erase what records hold: the words about a person, or a record whole with all that other tables say
of it.

Nothing else changes a record that is stored. What is held by a legal hold is not found here. Every
function works within the caller's transaction and gives the ids of what it erased.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    Connection,
    Table,
    Text,
    bindparam,
    cast,
    delete,
    func,
    literal,
    select,
    tuple_,
    update,
)

from service.erased import erased_body, erased_call, erased_text, without_texts
from service.store import chain
from service.store.alerts import alerts
from service.store.database import Instant, dump_json
from service.store.decision_marks import marks
from service.store.decisions import decisions, repeats
from service.store.dispatches import dispatches
from service.store.findings import findings
from service.store.legal_holds import is_held
from service.store.reviews import reviews
from service.store.sample import tickets
from service.store.sealed import has_sealed
from service.verify_log import SEALED

_CALL: Final = erased_call("")
_LEFT_OF_DECISION: Final[Mapping[str, Any]] = {
    "received_at": None,
    "urgency": None,
    "responders": [],
    "rules": [],
    "police": False,
    "fallback": False,
    "ruleset_name": None,
    "ruleset_version": None,
    "ruleset_digest": None,
    "mode": None,
    "fingerprint": None,
}
_LEFT_OF_REPORT: Final[Mapping[str, Any]] = {
    "responders": [],
    "override": False,
    "released": [],
    "reason": None,
    "call_back_at": None,
    "by_key": None,
    "by_person": None,
    "fingerprint": None,
}


class Last(NamedTuple):
    """
    What a batch ended with; the next one goes on after it.
    """

    at: datetime
    record_id: str


def _call_of_repeat() -> ColumnElement[Any]:
    found = [
        select(table.c.call_id).where(table.c.record_id == repeats.c.record_id).scalar_subquery()
        for table in (decisions, dispatches)
    ]
    return func.coalesce(*found)


# Tables with the words of records: when each was told, and the call that it is about.
_WORDED: Final[Mapping[str, tuple[Table, Column[Any], ColumnElement[Any]]]] = {
    "decisions": (decisions, decisions.c.decided_at, decisions.c.call_id),
    "reports": (dispatches, dispatches.c.reported_at, dispatches.c.call_id),
    "repeats": (repeats, repeats.c.decided_at, _call_of_repeat()),
}
WORDED: Final = tuple(_WORDED)


def erase_texts(
    connection: Connection, kind: str, due: tuple[str, datetime], after: Last | None, limit: int
) -> tuple[list[str], Last | None]:
    """
    Erase the words in records of a kind of `WORDED` that are *due*: of an agency, and told before a
    time. *after* is what the batch before ended with.

    Returns:
        The ids, and what this batch ended with; None where nothing is left.
    """
    (table, at, call_id), (agency, before) = _WORDED[kind], due
    query = select(table, at.label("told_at")).where(
        table.c.agency == agency, at < before, has_sealed(table), ~is_held(table.c.agency, call_id)
    )
    if after is not None:
        last = tuple_(literal(after.at, Instant), literal(after.record_id))
        query = query.where(tuple_(at, table.c.record_id) > last)
    rows = connection.execute(query.order_by(at, table.c.record_id).limit(limit)).all()
    changed = [
        {"host": row.host_id, "number": row.journal_number, "id": row.record_id, "left": left}
        for row in rows
        if (left := without_texts(row.body)) is not None
    ]
    if changed:
        is_it = (table.c.host_id == bindparam("host")) & (
            table.c.journal_number == bindparam("number")
        )
        body = bindparam("left", type_=JSON)
        sent = [{name: one[name] for name in ("host", "number", "left")} for one in changed]
        connection.execute(update(table).where(is_it).values(body=body), sent)
    is_more = len(rows) == limit
    return [str(one["id"]) for one in changed], (
        Last(rows[-1].told_at, rows[-1].record_id) if is_more else None
    )


def erase_notes(connection: Connection, agency: str, before: datetime, limit: int) -> list[str]:
    """
    Erase the comments of findings and of settled alerts that were written before a time, and give
    the ids of these findings and alerts.
    """
    ids: list[str] = []
    for table, at in ((findings, findings.c.found_at), (alerts, alerts.c.settled_at)):
        due = select(table.c.id, table.c.comment).where(
            table.c.agency == agency,
            at < before,
            table.c.comment.startswith(SEALED),
            ~is_held(table.c.agency, table.c.call_id),
        )
        rows = connection.execute(due.limit(limit)).all()
        for row in rows:
            left = dump_json(erased_text(row.comment))
            connection.execute(update(table).where(table.c.id == row.id).values(comment=left))
        ids += [row.id for row in rows]
    return ids


def due_whole(
    connection: Connection, agency: str, before: datetime, limit: int
) -> tuple[list[str], list[str]]:
    """
    Give the ids of decisions and of reports that were made before a time and are not erased, the
    earliest first; never what is held.
    """
    return _found(connection, lambda table, at: (table.c.agency == agency, at < before), limit)


def of_call(
    connection: Connection, agency: str, call_id: str, until: datetime, limit: int
) -> tuple[list[str], list[str]]:
    """
    Give the ids of the decisions and of the reports about a call that were made by a time; never
    what is held.
    """
    return _found(
        connection,
        lambda table, at: (table.c.agency == agency, table.c.call_id == call_id, at <= until),
        limit,
    )


def _found(connection: Connection, where: Any, limit: int) -> tuple[list[str], list[str]]:
    found = []
    for table, at in ((decisions, decisions.c.decided_at), (dispatches, dispatches.c.reported_at)):
        query = select(table.c.record_id).where(
            *where(table, at),
            ~table.c.call_id.startswith(_CALL),
            ~is_held(table.c.agency, table.c.call_id),
        )
        query = query.order_by(at, table.c.record_id).limit(limit)
        found.append(list(connection.execute(query).scalars()))
    return found[0], found[1]


def erase_whole(
    connection: Connection,
    agency: str,
    found: tuple[Collection[str], Collection[str]],
    left: tuple[str, datetime],
) -> list[str]:
    """
    Erase decisions and reports whole, *found* by their ids, with the reports about these decisions
    and what repeats any of them; *left* is why and when. Gives the ids of all records.
    """
    decision_ids = sorted(found[0])
    about = select(dispatches.c.record_id).where(
        dispatches.c.agency == agency, dispatches.c.decision_id.in_(decision_ids)
    )
    reports = sorted({*found[1], *connection.execute(about).scalars()})
    every = [*decision_ids, *reports]
    call_ids = {
        one
        for table in (decisions, dispatches)
        for one in connection.execute(
            select(table.c.call_id).where(table.c.record_id.in_(every))
        ).scalars()
    }
    for table, ids, values in (
        (decisions, decision_ids, _LEFT_OF_DECISION),
        (dispatches, reports, _LEFT_OF_REPORT),
    ):
        connection.execute(
            update(table)
            .where(table.c.agency == agency, table.c.record_id.in_(ids))
            .values(
                **values,
                body=erased_body(*left),
                call_id=literal(_CALL).concat(table.c.record_id),
            )
        )
    chain.drop_salts(connection, agency, ("decision", "dispatch"), every)
    erase_repeats(connection, agency, every, left)
    _erase_around(connection, agency, decision_ids)
    _erase_alerts(connection, agency, (call_ids, every), left)
    return every


def erase_repeats(
    connection: Connection, agency: str, record_ids: Collection[str], left: tuple[str, datetime]
) -> None:
    """
    Erase whatever repeats these records, whenever it was told.
    """
    connection.execute(
        update(repeats)
        .where(repeats.c.agency == agency, repeats.c.record_id.in_(record_ids))
        .values(body=erased_body(*left), fingerprint=None)
    )
    chain.drop_salts(connection, agency, ("repeat",), list(record_ids))


def repeats_of_erased(connection: Connection, limit: int) -> list[tuple[str, str]]:
    """
    Give the agency and id of records that were erased whole while something that repeats them was
    not, since it was stored later.
    """
    is_kept = ~cast(repeats.c.body, Text).startswith('{"erased"')
    found: list[tuple[str, str]] = []
    for table in (decisions, dispatches):
        query = (
            select(table.c.agency, table.c.record_id)
            .join(repeats, repeats.c.record_id == table.c.record_id)
            .where(is_kept, table.c.call_id.startswith(_CALL))
            .limit(limit)
        )
        found += [(row.agency, row.record_id) for row in connection.execute(query)]
    return found


def _erase_around(connection: Connection, agency: str, decision_ids: list[str]) -> None:
    """
    Erase what other tables say of decisions: marks and open reviews go, and of what was judged only
    the verdict is left.
    """
    connection.execute(
        delete(marks).where(marks.c.agency == agency, marks.c.record_id.in_(decision_ids))
    )
    is_of = (reviews.c.agency == agency) & reviews.c.decision_id.in_(decision_ids)
    connection.execute(delete(reviews).where(is_of, reviews.c.answered_at.is_(None)))
    name = literal(_CALL).concat(reviews.c.decision_id)
    connection.execute(update(reviews).where(is_of).values(call_id=name, reasons=[]))
    connection.execute(
        update(findings)
        .where(findings.c.agency == agency, findings.c.decision_id.in_(decision_ids))
        .values(
            call_id=literal(_CALL).concat(findings.c.decision_id),
            comment=None,
            wrong_facts=[],
            wrong_rule=None,
            rules=[],
        )
    )
    connection.execute(
        update(tickets)
        .where(tickets.c.agency == agency, tickets.c.decision_id.in_(decision_ids))
        .values(call_id=literal(_CALL).concat(tickets.c.decision_id))
    )


def _erase_alerts(
    connection: Connection,
    agency: str,
    about: tuple[Collection[str], Collection[str]],
    left: tuple[str, datetime],
) -> None:
    """
    Erase the call and the comment of alerts about these calls and records, and settle open ones.
    """
    call_ids, record_ids = about
    query = select(alerts.c.id, alerts.c.subject_id).where(
        alerts.c.agency == agency, alerts.c.call_id.in_(call_ids)
    )
    # The subject is a decision, a report, or a decision and a time.
    ids = {
        row.id: row.subject_id.partition(" ")[0]
        for row in connection.execute(query)
        if row.subject_id.partition(" ")[0] in record_ids
    }
    is_open = alerts.c.id.in_(ids) & alerts.c.settled_at.is_(None)
    why, at = left
    settled = {"settled_at": at, "settled_by": why, "settled_name": why}
    connection.execute(update(alerts).where(is_open).values(settled))
    for alert_id, subject in ids.items():
        gone = {"call_id": erased_call(subject), "comment": None}
        connection.execute(update(alerts).where(alerts.c.id == alert_id).values(gone))
