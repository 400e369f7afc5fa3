"""
Give the tests of the pages one running service, and browsers before it.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from service.app import join, make_flask
from service.host.first_start import prepare
from service.routing.facts import Vocabulary
from service.rulesets import load_config
from service.settings import read_settings
from tests.api.conftest import Api
from tests.pages.browsing import Clock, Service, signed_in


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
    Open a browser that nobody is signed in with.
    """
    return service.app.test_client()


@pytest.fixture
def browser(service: Service) -> FlaskClient:
    """
    Open a browser that the dispatcher is signed in with.
    """
    return signed_in(service, service.credentials.dispatcher)


@pytest.fixture
def supervisor(service: Service) -> FlaskClient:
    """
    Open a browser that the supervisor is signed in with.
    """
    return signed_in(service, service.credentials.supervisor)


@pytest.fixture
def admin(service: Service) -> FlaskClient:
    """
    Open a browser that the administrator is signed in with.
    """
    return signed_in(service, service.credentials.admin)


@pytest.fixture
def api(service: Service) -> Api:
    """
    Speak to the same service by its API.
    """
    secrets = service.credentials
    keys = {"dispatch": secrets.dispatch_key, "supervisor": secrets.supervisor_key}
    return Api(service.app.test_client(), service.parts, keys)


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    """
    Read the shipped vocabulary.
    """
    return load_config().vocabulary


@pytest.fixture
def clock() -> Clock:
    """
    Make a clock.
    """
    return Clock()


@pytest.fixture
def house(tmp_path: Path, clock: Clock) -> Iterator[Service]:
    """
    Join a service of its own, whose time a test moves, and whose lock closes after three tries.
    """
    settings = read_settings(
        {
            "CRISIS_ROUTER_HOME": str(tmp_path / "home"),
            "CRISIS_ROUTER_LOCKOUT_ACCOUNT_TRIES": "3",
            "CRISIS_ROUTER_LOCKOUT_ADDRESS_TRIES": "6",
        }
    )
    credentials = prepare(settings)
    assert credentials is not None
    parts, close = join(settings, clock)
    yield Service(parts, make_flask(parts), credentials)
    close()
