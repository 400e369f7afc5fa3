"""
The description of the API against the running application: schemathesis sends what it allows and
what it does not.
"""

import re
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.api.conftest import Api

schema = schemathesis.pytest.from_fixture("described")
# Some faults no schema can say: an age that disagrees with its group, a cursor that no list gave, a
# ruleset whose rules break a shape. They are 422, as the contract has them, though the schema lets
# them pass.
LEFT_OUT = (positive_data_acceptance,)


@pytest.fixture(scope="module")
def described(api: Api) -> Any:
    """
    Load the description from the application itself.
    """
    return schemathesis.openapi.from_wsgi("/v1/openapi.json", api.client.application)


@schema.parametrize()
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_service_is_as_it_is_described(case: Any, api: Api) -> None:
    """
    Every answer to every request has a status, a type and a shape that the description names; none
    is a 500.
    """
    # Whoever tunes rules takes no calls: each operation is asked with a key that may.
    is_of_rules = case.path.startswith(("/v1/rulesets", "/v1/checks", "/v1/agency/ruleset"))
    is_of_reviews = case.path.startswith(("/v1/reviews", "/v1/findings"))
    role = "admin" if is_of_rules else "supervisor" if is_of_reviews else "dispatch"
    headers = {"Authorization": f"Bearer {api.keys[role]}"}
    case.call_and_validate(headers=headers, excluded_checks=list(LEFT_OUT))


def test_the_description_names_every_fact_and_its_values(api: Api) -> None:
    """
    The request's facts in the description are the vocabulary's, with every value.
    """
    document = api.client.get("/v1/openapi.json").json
    described = document["components"]["schemas"]["DecisionRequest"]["properties"]["facts"][
        "properties"
    ]
    vocabulary = api.parts.rules.config.vocabulary
    assert list(described) == list(vocabulary.facts)
    assert described["weapon"]["enum"] == [*vocabulary.facts["weapon"].values, "unknown", None]


def test_every_route_is_described(api: Api) -> None:
    """
    No route of the JSON API is missing from the description.
    """
    app = api.client.application
    document = api.client.get("/v1/openapi.json").json
    routes = {
        re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", str(rule)).replace("{record_id}", "{decision_id}")
        for rule in app.url_map.iter_rules()
        if str(rule).startswith(("/v1", "/healthz", "/readyz", "/metrics"))
    }
    assert routes - {"/v1/openapi.json"} == set(document["paths"])


def test_the_documentation_page_loads_nothing_from_elsewhere(api: Api) -> None:
    """
    Every script and style of /docs is this service's own, and nothing is inline.
    """
    page = api.client.get("/docs").text
    assert "<style" not in page
    assert 'style="' not in page
    assert "://" not in page
    for path in ("/docs/swagger-ui.css", "/docs/swagger-ui-bundle.js", "/docs/start.js"):
        assert path in page
        assert api.client.get(path).status_code == 200
    assert api.client.get("/docs/../settings.py").status_code == 404
