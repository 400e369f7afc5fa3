"""
Make the Celery app of the workers.

It says where the queue is, how a lost worker or Redis is survived, and what beat sends.

`celery -A workers.celery_app worker` reads the environment when it starts; importing this reads
nothing.
"""

from typing import Any

from celery import Celery
from celery.schedules import crontab
from celery.signals import worker_init

from service.log import configure_log
from service.settings import Settings, read_settings

QUEUE = "crisis_router"
ALIVE_EVERY_S = 2.0
RULES_EVERY_S = 1.0
MISSING_EVERY_S = 15.0  # a gap counts after a minute, so that a look now and then is enough
SEAL_EVERY_S = 1.0  # a record has its place in the log a second after it is stored
VERIFY_EVERY_S = 2.0  # a verification that is asked for begins within seconds
PURGE_EVERY_S = 3600.0  # what is kept for days may stay an hour longer
COMPACT_EVERY_S = 86_400.0
ERASE_EVERY_S = 30.0  # what a host stored after an erasure was confirmed goes soon
SELECT_EVERY_S = 2.0  # a review is in the queue within seconds of its decision


def make_celery(settings: Settings) -> Celery:
    """
    Make an app for *settings*, for a process that publishes.
    """
    made = Celery("crisis_router", set_as_current=False)
    made.conf.update(configuration(settings))
    return made


def configuration(settings: Settings) -> dict[str, Any]:
    """
    Give Celery's settings.

    Tasks are acknowledged when they are done, so each must stand being run again. The transport's
    `max_retries` of 0 is what lets a publish to a dead Redis fail in milliseconds instead of 6 s.
    """
    return {
        "broker_url": settings.redis_url,
        "task_default_queue": QUEUE,
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "worker_prefetch_multiplier": 1,
        "task_ignore_result": True,
        "task_serializer": "json",
        "accept_content": ["json"],
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "broker_pool_limit": None,
        "task_publish_retry": False,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
        "broker_transport_options": {
            "visibility_timeout": 60,  # seconds; longer than the longest task
            "unacked_restore_interval": 1,
            "unacked_restore_throttle": 1,
            "socket_keepalive": True,
            "health_check_interval": 10,
            "socket_connect_timeout": 0.4,
            "socket_timeout": 0.4,
            "retry_on_timeout": False,
            "max_retries": 0,
        },
        "beat_scheduler": "workers.beat:SteadyScheduler",
        "beat_schedule": {
            # With no worker to take them tasks would pile up in Redis: each ends after a while.
            "note-alive": _beat("tasks.note_alive", ALIVE_EVERY_S, 3, "beat"),
            "check-drafts": _beat("rule_tasks.check_drafts", RULES_EVERY_S, 2),
            "publish-due": _beat("rule_tasks.publish_due", RULES_EVERY_S, 2),
            "look-for-missing": _beat("tasks.look_for_missing", MISSING_EVERY_S, 3),
            "select-for-review": _beat("tasks.select_for_review", SELECT_EVERY_S, 1),
            "purge": _beat("tasks.purge", PURGE_EVERY_S, 1),
            "compact": _beat("tasks.compact_store", COMPACT_EVERY_S, 1),
            "finish-erasures": _beat("tasks.finish_erasures", ERASE_EVERY_S, 1),
            **_log_schedule(settings),
        },
    }


def _log_schedule(settings: Settings) -> dict[str, Any]:
    asks, every_s = "log_tasks.ask_for_verifications", float(settings.verify_every_s)
    whole = crontab(minute="0", hour=str(settings.verify_whole_hour % 24))
    return {
        "seal-logs": _beat("log_tasks.seal", SEAL_EVERY_S, 1),
        "verify-logs": _beat("log_tasks.verify", VERIFY_EVERY_S, 1),
        "verify-what-is-new": {**_beat(asks, every_s, 1), "kwargs": {"whole": False}},
        "verify-everything": {
            "task": f"workers.{asks}",
            "schedule": whole,
            "kwargs": {"whole": True},
        },
    }


def _beat(task: str, every_s: float, expires_after: int, *args: str) -> dict[str, Any]:
    """
    Say what beat sends and how often; *expires_after* counts in times of that.
    """
    return {
        "task": f"workers.{task}",
        "schedule": every_s,
        "args": list(args),
        "options": {"expires": expires_after * every_s},
    }


app = Celery(
    "crisis_router",
    include=["workers.tasks", "workers.rule_tasks", "workers.log_tasks", "workers.signs"],
)
app.add_defaults(lambda: configuration(read_settings()))


@worker_init.connect  # type: ignore[untyped-decorator]  # Celery has no types
def _configure_log(**_: object) -> None:
    configure_log()
