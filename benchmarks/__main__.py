"""
Runs the benchmarks: the matcher, the reading of remarks, the stages of one decision, the endpoint,
ways to be safe on disk, shipping into the store, the pages over a large log, and the plans of their
queries.
"""

import argparse
import os
import platform
import signal
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext

import structlog

from benchmarks.disk import measure_disk
from benchmarks.endpoint import measure_endpoint
from benchmarks.matching import measure_matching
from benchmarks.pages import measure_pages
from benchmarks.parts import postgres
from benchmarks.plans import measure_plans
from benchmarks.remarks import measure_remarks
from benchmarks.shipping import measure_shipping
from benchmarks.stages import measure_stages

SEED = 20261124
ON_BOTH = ("shipping", "pages", "plans")  # databases
PARTS = ("matching", "remarks", "stages", "endpoint", "disk", "shipping", "pages", "plans")


def main() -> None:
    """
    Measure and print every part, or the one that is asked for.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="half a minute, with rough figures")
    parser.add_argument("--decisions", type=int, help="in the log that pages are opened over")
    parser.add_argument("--only", choices=PARTS, nargs="+", help="these parts")
    parser.add_argument("--seed", type=int, default=SEED, help="of the random rules and calls")
    wanted = parser.parse_args()
    # A SIGTERM ends the blocks too, which end the servers and remove the temporary homes.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    # What the service logs at its start would stand between the tables.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("error"))
    print(
        f"Python {platform.python_version()}, {os.cpu_count()} cores,"
        f" load {os.getloadavg()[0]:.1f} before the start: trust the ratios, not the microseconds"
    )
    parts: dict[str, Callable[[], None]] = {
        "matching": lambda: measure_matching(quick=wanted.quick, seed=wanted.seed),
        "remarks": lambda: measure_remarks(quick=wanted.quick),
        "stages": lambda: measure_stages(quick=wanted.quick),
        "endpoint": lambda: measure_endpoint(quick=wanted.quick),
        "disk": lambda: measure_disk(quick=wanted.quick),
        "shipping": lambda: measure_shipping(quick=wanted.quick),
        "pages": lambda: measure_pages(
            quick=wanted.quick, seed=wanted.seed, count=wanted.decisions
        ),
        "plans": lambda: measure_plans(
            quick=wanted.quick, seed=wanted.seed, count=wanted.decisions
        ),
    }
    for name, measure in parts.items():
        if wanted.only is None or name in wanted.only:
            began = time.monotonic()
            with postgres() if name in ON_BOTH else nullcontext():
                measure()
            print(f"  ({name}: {time.monotonic() - began:.0f} s)", flush=True)


if __name__ == "__main__":
    main()
