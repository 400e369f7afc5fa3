"""
An empty store of each kind: SQLite in a file, and a real PostgreSQL.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from service.store.database import open_store
from service.store.migration import migrate


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """
    Give the address of an empty database of each kind.
    """
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.sqlite'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def store(url: str) -> Iterator[Engine]:
    """
    Give an open store with all its tables.
    """
    migrate(url)
    engine = open_store(url)
    yield engine
    engine.dispose()
