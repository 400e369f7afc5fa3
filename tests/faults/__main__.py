"""
Run the long fault test and print its tally: `python -m tests.faults --kills 200`.
"""

import argparse
import sys
from contextlib import ExitStack

from tests.faults.disturb import all_faults
from tests.faults.house import house
from tests.faults.ordeal import Tally, order, undergo
from tests.faults.postgres import own_postgres
from tests.faults.storm import storm


def shares(kills: int) -> dict[str, int]:
    """
    Say how often each kind of fault is done at most beside so many kills.
    """
    slow = max(1, kills * 3 // 200)
    often = max(1, kills // 20)
    return {"kill": kills, "stop": 2 * often, "flush": often, "restart": often} | {
        "fill": slow,
        "set back": slow,
    }


def main() -> int:
    """
    Read the options, run rounds until both bars are reached, and give the exit code.
    """
    reader = argparse.ArgumentParser(prog="python -m tests.faults")
    reader.add_argument("--kills", type=int, default=200, help="at least so many kills")
    reader.add_argument("--answered", type=int, default=100_000, help="at least so many answers")
    reader.add_argument("--seed", type=int, default=1, help="draws the faults and their moments")
    reader.add_argument("--store", choices=("sqlite", "postgresql"), default="postgresql")
    reader.add_argument("--stop-s", type=float, default=10.0, help="how long a stop lasts")
    reader.add_argument(
        "--only", action="append", metavar="FAULT", help='such as "stop postgres"; may be repeated'
    )
    reader.add_argument("--times", type=int, help="do each fault so often, whatever was answered")
    reader.add_argument(
        "--storm-s", type=float, help="so long, faults come while others last; nothing else is done"
    )
    asked = reader.parse_args()
    tally = Tally(asked.seed)
    with ExitStack() as held:
        postgres = held.enter_context(own_postgres()) if asked.store == "postgresql" else None
        found = held.enter_context(house(postgres.url if postgres else ""))

        faults = all_faults(found, postgres)
        if asked.only:
            faults = [one for one in faults if " ".join(one) in asked.only]
        rounds = asked.times * len(faults) if asked.times else 20 * (asked.kills + 1)

        def enough() -> bool:
            return tally.kills() >= asked.kills and tally.told.answered >= asked.answered

        try:
            if asked.storm_s:
                storm(found, faults, postgres, tally=tally, storm_s=asked.storm_s, say=_say)
            else:
                undergo(
                    found,
                    order(asked.seed, faults, rounds),
                    postgres,
                    tally=tally,
                    stop_s=asked.stop_s,
                    say=_say,
                    enough=None if asked.times else enough,
                    most=None if asked.times else shares(asked.kills),
                )
        except KeyboardInterrupt:
            print("interrupted")
        finally:
            print("\n".join(tally.lines()), flush=True)
    is_good = tally.has_kept_all if asked.storm_s else tally.is_good
    return 0 if is_good else 1


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
