"""
The storm: faults that overlap.
"""

from tests.faults.disturb import all_faults
from tests.faults.house import house
from tests.faults.ordeal import Tally
from tests.faults.postgres import own_postgres
from tests.faults.storm import storm

STORM_S = 30.0


def test_nothing_is_lost_or_doubled_where_faults_come_while_others_last() -> None:
    """
    With parts killed while others are stopped, the store is away and the disk full, the house
    becomes whole by itself, each answered id is in the store once, and the log is whole.
    """
    tally = Tally(seed=14)
    with own_postgres() as postgres, house(postgres.url) as found:
        kinds = all_faults(found, postgres)
        storm(found, kinds, postgres, tally=tally, storm_s=STORM_S, say=print)
        assert found.up.process.poll() is None
    assert sum(tally.done.values()) > len(kinds) / 2, tally.lines()
    assert tally.told.answered > 0
    assert tally.has_kept_all, "\n".join(tally.lines())
