"""
The queue as the shipper sees it: where batches are put, and what became of those that were.

Redis may forget what it holds, by a restart or a FLUSHALL, between two questions and without an
error. A mark beside the queue goes with it, and tells.
"""

from collections.abc import Sequence
from typing import Any, Final

from service.redis_client import connect
from service.settings import Settings
from workers.celery_app import QUEUE, make_celery

_TASK: Final = "workers.tasks.store_records"
_MARK: Final = "crisis_router:queue_holds:{host_id}"
_MARK_S: Final = 86_400  # so that marks of hosts that are gone do not stay


class Queue:
    """
    Put batches of records into Redis by Celery. Each method raises what redis-py or kombu does
    where Redis is away.
    """

    def __init__(self, settings: Settings) -> None:
        self._celery = make_celery(settings)
        self._redis = connect(settings.redis_url)

    def put(self, records: Sequence[dict[str, Any]]) -> None:
        """
        Send a batch as one task.
        """
        self._celery.send_task(_TASK, args=[list(records)])

    def has_forgotten(self, host_id: str) -> bool:
        """
        Tell whether Redis lost what it held since the last question about this journal. It is also
        true of the first, and once a day with nothing lost: sending again harms nothing.
        """
        return bool(self._redis.set(_MARK.format(host_id=host_id), "1", nx=True, ex=_MARK_S))

    def is_empty(self) -> bool:
        """
        Tell whether nothing waits for a worker.
        """
        return self._redis.llen(QUEUE) == 0
