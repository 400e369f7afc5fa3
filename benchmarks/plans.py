"""
How the database finds what the pages of decisions ask for, over a large log: the plan of every
query, and which of them read a whole table.

    python -m benchmarks --only plans --decisions 1000000

On both databases; with `TEST_DATABASE_URL`, the PostgreSQL of that server.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from flask.testing import FlaskClient
from sqlalchemy import Engine, event, text

from benchmarks.large_log import every_database, paths, sign_in
from benchmarks.table import number, show
from service.app import make_flask
from service.store.tables import metadata

ROWS_MANY: Final = 5_000  # a table that has fewer may be read whole
PLANNED: Final = ("SELECT", "WITH")
_SCANNED: Final = re.compile(r"^SCAN (\w+)(?! USING COVERING INDEX)")


@dataclass(frozen=True, slots=True)
class Plan:
    """
    One query of a page: what it read whole, how many rows it looked at, and the milliseconds.

    `looked_at` and `ms` are None where the database does not say.
    """

    statement: str
    whole: tuple[str, ...]
    looked_at: int | None
    ms: float | None


def measure_plans(*, quick: bool, seed: int, count: int | None) -> None:
    """
    Open every page over a log of *count* decisions, and print the dearest query of each.
    """
    for database, parts, credentials in every_database(quick=quick, seed=seed, count=count):
        client = make_flask(parts).test_client()
        sign_in(client, credentials.supervisor)
        sizes = _sizes(parts.store)
        rows, whole = [], []
        for words, path in paths(parts):
            plans = [_plan(parts.store, *one, sizes) for one in _asked(parts.store, client, path)]
            rows.append(_row(words, plans))
            whole += [(words, plan) for plan in plans if plan.whole]
        title = f"Plans over {sizes['decisions']:,} decisions, {database}"
        show(title, ("page", "queries", "rows looked at", "ms of queries", "reads whole"), rows)
        for words, plan in whole:
            print(
                f"  {words}: {', '.join(plan.whole)}\n    {' '.join(plan.statement.split())[:400]}"
            )


def _row(words: str, plans: list[Plan]) -> tuple[str, ...]:
    looked_at = [plan.looked_at for plan in plans if plan.looked_at is not None]
    took = [plan.ms for plan in plans if plan.ms is not None]
    whole = sorted({table for plan in plans for table in plan.whole})
    return (
        words,
        str(len(plans)),
        f"{sum(looked_at):,}" if looked_at else "",
        number(sum(took)) if took else "",
        ", ".join(whole),
    )


def _asked(store: Engine, client: FlaskClient, path: str) -> list[tuple[str, Any]]:
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_more: Any) -> None:
        if statement.lstrip().startswith(PLANNED):
            asked.append((statement, values))

    event.listen(store, "before_cursor_execute", note)
    try:
        assert client.get(path).status_code == 200, path
    finally:
        event.remove(store, "before_cursor_execute", note)
    return asked


def _plan(store: Engine, statement: str, values: Any, sizes: Mapping[str, int]) -> Plan:
    with store.connect() as connection:
        if connection.dialect.name == "postgresql":
            found = connection.exec_driver_sql(
                f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", values
            ).scalar_one()[0]
            nodes = list(_nodes(found["Plan"]))
            scanned = [one["Relation Name"] for one in nodes if one["Node Type"] == "Seq Scan"]
            looked_at = sum(_looked_at(one) for one in nodes if "Relation Name" in one)
            ms = float(found["Execution Time"])
            return Plan(statement, _large(scanned, sizes), round(looked_at), ms)
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
        names = [match[1] for row in rows if (match := _SCANNED.match(row[3])) is not None]
        return Plan(statement, _large(names, sizes), None, None)


def _looked_at(node: Mapping[str, Any]) -> float:
    each = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
    return float(each * node["Actual Loops"])


def _nodes(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield node
    for below in node.get("Plans", ()):
        yield from _nodes(below)


def _large(names: list[str], sizes: Mapping[str, int]) -> tuple[str, ...]:
    return tuple(sorted({name for name in names if sizes.get(name, 0) > ROWS_MANY}))


def _sizes(store: Engine) -> dict[str, int]:
    with store.connect() as connection:
        if connection.dialect.name == "postgresql":
            # As its own upkeep does after a while: without it nothing is known of new rows.
            connection.execute(text("ANALYZE"))
        return {
            name: connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one()
            for name in metadata.tables
        }
