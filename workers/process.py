"""
What the tasks of one worker process share: its store, its Redis and its rules, each made once, at
the first task that asks.
"""

from datetime import UTC, datetime
from functools import cache

from sqlalchemy import Engine

from service.redis_client import Client, connect
from service.rules_in_force import RulesInForce, read_rules
from service.settings import Settings, read_settings
from service.store.database import open_store


def now() -> datetime:
    """
    Give the time, aware UTC.
    """
    return datetime.now(UTC)


@cache
def settings() -> Settings:
    """
    Give the settings of this process.
    """
    return read_settings()


@cache
def store() -> Engine:
    """
    Give the store.
    """
    return open_store(settings().database_url, wait_s_max=settings().store_wait_s_max)


@cache
def redis() -> Client:
    """
    Give Redis.
    """
    return connect(settings().redis_url)


@cache
def rules() -> RulesInForce:
    """
    Give the vocabulary and the tables of `config/`; compiling them takes long.
    """
    return read_rules(settings())
