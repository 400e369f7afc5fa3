"""
Give the tests of the pages one running service, and browsers before it.
"""

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from service.app import join, make_flask
from service.host.first_start import prepare
from service.routing.facts import Vocabulary
from service.rulesets import load_config
from service.settings import read_settings
from tests.pages.browsing import Service, give_key


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """
    Start on an empty home, with SQLite and without a queue.
    """
    settings = read_settings({"CRISIS_ROUTER_HOME": str(tmp_path_factory.mktemp("home"))})
    credentials = prepare(settings)
    assert credentials is not None
    parts, close = join(settings)
    yield Service(parts, make_flask(parts), credentials)
    close()


@pytest.fixture
def stranger(service: Service) -> FlaskClient:
    """
    Open a browser that has given no key.
    """
    return service.app.test_client()


@pytest.fixture
def browser(service: Service) -> FlaskClient:
    """
    Open a browser that has given the dispatch key.
    """
    client = service.app.test_client()
    assert give_key(client, service.credentials.dispatch_key).status_code == 303
    return client


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    """
    Read the shipped vocabulary.
    """
    return load_config().vocabulary
