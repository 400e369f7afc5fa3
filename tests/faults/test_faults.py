"""
The short round: every kind of fault once, under load, on both stores.
"""

from contextlib import ExitStack

import pytest

from tests.faults.disturb import all_faults
from tests.faults.house import house
from tests.faults.ordeal import Tally, order, undergo
from tests.faults.postgres import own_postgres

SEED = 14


@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
def test_nothing_answered_is_lost_or_doubled_whatever_is_done(store: str) -> None:
    """
    After every fault each answered id is in the store once with its revision, no number of the
    journal is missing, the log is whole against each head taken before, and requests were answered
    throughout.
    """
    tally = Tally(SEED)
    with ExitStack() as held:
        postgres = held.enter_context(own_postgres()) if store == "postgresql" else None
        found = held.enter_context(house(postgres.url if postgres else ""))
        kinds = all_faults(found, postgres)
        faults = order(SEED, kinds, len(kinds))
        undergo(found, faults, postgres, tally=tally, stop_s=2.0, say=print)
    assert set(tally.done) == set(kinds), tally.lines()
    assert tally.told.answered > 0
    assert tally.is_good, "\n".join(tally.lines())
