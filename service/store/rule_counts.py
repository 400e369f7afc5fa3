"""
Count how often each rule fired, over the stored decisions of an agency, in one grouped query.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, func, select

from service.store.database import reading
from service.store.decisions import decisions


@dataclass(frozen=True, slots=True)
class Fired:
    """
    How many decisions a ruleset made, and in how many of them each of its rules fired.
    """

    decisions: int
    rules: Mapping[str, int]


def fired_since(engine: Engine, agency: str, name: str, since: datetime) -> Fired:
    """
    Count the decisions of an agency by one ruleset, of any version, from *since* on.
    """
    of = (
        decisions.c.agency == agency,
        decisions.c.decided_at >= since,
        decisions.c.ruleset_name == name,
    )
    split = func.json_each if engine.dialect.name == "sqlite" else func.json_array_elements_text
    rule = split(decisions.c.rules).table_valued("value")
    query = (
        select(rule.c.value, func.count())
        .select_from(decisions)
        .join(rule, decisions.c.record_id.is_not(None))
        .where(*of)
        .group_by(rule.c.value)
    )
    with reading(engine) as connection:
        found = {str(name): int(count) for name, count in connection.execute(query).all()}
        total = connection.execute(select(func.count()).select_from(decisions).where(*of)).scalar()
    return Fired(int(total or 0), found)
