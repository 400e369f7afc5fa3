"""
Measures what a decision costs, as ratios that are taken in one run; nothing here is asserted by a
clock.

    python -m benchmarks [--quick]
"""
