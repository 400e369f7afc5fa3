"""
Administration against its description, with the key of an administrator: schemathesis sends what it
allows and what it does not.
"""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.api.conftest import Api

schema = schemathesis.pytest.from_fixture("described").include(
    path_regex="^/v1/(people|keys|agency|audit|alerts|incident-types)"
)
# Some faults no schema can say: an address that is no e-mail's, a time zone that there is not.
LEFT_OUT = (positive_data_acceptance,)


@pytest.fixture(scope="module")
def described(api: Api) -> Any:
    """
    Load the description from the application itself.
    """
    return schemathesis.openapi.from_wsgi("/v1/openapi.json", api.client.application)


@schema.parametrize()
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
def test_administration_is_as_it_is_described(case: Any, api: Api) -> None:
    """
    Every answer to an administrator has a status, a type and a shape that the description names;
    none is a 500.
    """
    headers = {"Authorization": f"Bearer {api.keys['admin']}"}
    case.call_and_validate(headers=headers, excluded_checks=list(LEFT_OUT))
