"""
Connect to Redis from outside Celery, with waits so short that a dead one holds nobody.
"""

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

Client = Redis

ALIVE_KEY = "crisis_router:alive:{part}"
ALIVE_S = 10
_WAIT_S = 0.2


def connect(url: str) -> Client:
    """
    Make a client for *url*; a dead Redis is an error in milliseconds, a hung one in 0.2 s. By
    itself redis-py would wait for seconds.

    Celery's `redis+socket:///path` is what redis-py calls `unix:///path`.
    """
    return Redis.from_url(
        url.replace("redis+socket://", "unix://", 1),
        socket_connect_timeout=_WAIT_S,
        socket_timeout=_WAIT_S,
        retry=Retry(NoBackoff(), 0),
    )
