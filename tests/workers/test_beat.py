"""
Prove that beat goes on when the clock is set back.
"""

from datetime import timedelta
from pathlib import Path

from celery import Celery

from service.settings import read_settings
from workers.beat import SteadyScheduler
from workers.celery_app import RULES_EVERY_S, configuration


def test_what_was_sent_in_the_future_is_sent_again_after_its_interval(tmp_path: Path) -> None:
    """
    With every task last sent in an hour from now, as after a clock set back, the next is due within
    the shortest interval; and the scheduler is the one that beat runs.
    """
    app = Celery(set_as_current=False)
    app.conf.update(configuration(read_settings({})))
    assert app.conf.beat_scheduler == "workers.beat:SteadyScheduler"
    scheduler = SteadyScheduler(
        app, lazy=False, schedule_filename=str(tmp_path / "schedule"), max_interval=300
    )
    try:
        for entry in scheduler.schedule.values():
            entry.last_run_at = entry.default_now() + timedelta(hours=1)
        assert scheduler.tick() <= RULES_EVERY_S
    finally:
        scheduler.close()
