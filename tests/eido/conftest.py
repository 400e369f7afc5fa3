"""
The service on a configuration with small tables of its own, and documents to send it.
"""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from service.app import join, make_flask
from service.eido.incident import Tables
from service.eido.noticed import Noticed
from service.eido.reading import EidoCall, read_eido
from service.eido.words import EidoWords
from service.host.first_start import prepare
from service.rulesets import load_config
from service.settings import read_settings, shipped_config
from tests.api.conftest import Api

EXAMPLES = Path(__file__).parent / "examples"
ID = "urn:emergency:uid:incidentid:{}:bcf.example.gov"
AT = "2026-05-04T22:02:41.000-07:00"
Document = dict[str, Any]
Read = Callable[[Document], tuple[EidoCall, Noticed]]
APCO = """registry: apco
types:
  - {code: MNTL, facts: {behavioral_health: true}}
  - {code: MTLV, facts: {behavioral_health: true, violence: physical}}
  - {code: WELFARE, facts: {}}
"""
LOCAL = """registry: local
types:
  - {code: ARMED SUBJECT, facts: {weapon: firearm}}
  - {code: MENTVIO, facts: {behavioral_health: true}}
  - {code: BEHCRIS, facts: {behavioral_health: true}}
  - {code: WELCK, facts: {}}
"""


def example(name: str) -> Document:
    """
    Give one of the example documents.
    """
    found: Document = json.loads((EXAMPLES / f"{name}.json").read_text())
    return found


def document(name: str, **more: Any) -> Document:
    """
    Make a small document about an incident of this name.
    """
    return {
        "$id": ID.format(name),
        "lastUpdateTimeStamp": AT,
        "eidoVersion": "1.0",
        "incidentComponent": {"incidentTypeCommonRegistryText": "WELFARE"},
        **more,
    }


def note(text: Any, at: Any = AT, by: str = "ctaker7@ecc.example.gov") -> Document:
    """
    Make one note.
    """
    return {"lastUpdateTimeStamp": at, "notesActionComments": text, "agentReference": {"$ref": by}}


def codes(answer: Document) -> list[str]:
    """
    List the codes of an answer's warnings that reading an EIDO document gives.
    """
    return [
        one["code"]
        for one in answer["warnings"]
        if one["code"].startswith(("eido_", "location_", "unknown_"))
    ]


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """
    Join the service on a fresh home and a configuration with tables of these tests, without Redis.
    """
    home: Path = tmp_path_factory.mktemp("home")
    config = home / "config"
    shutil.copytree(shipped_config(), config)
    for old in (config / "incident_types").glob("*.yaml"):
        if old.stem in ("apco", "local"):
            old.unlink()
    (config / "incident_types" / "apco.yaml").write_text(APCO)
    (config / "incident_types" / "local.yaml").write_text(LOCAL)
    settings = read_settings({"CRISIS_ROUTER_HOME": str(home), "CRISIS_ROUTER_CONFIG": str(config)})
    prepare(settings)
    parts, close = join(settings)
    secrets = json.loads((home / "credentials.json").read_text())
    keys = {role: secrets[f"{role}_key"] for role in ("dispatch", "supervisor", "admin")}
    parts.surroundings.look()
    yield Api(make_flask(parts).test_client(), parts, keys)
    close()


@pytest.fixture(scope="session")
def words() -> EidoWords:
    """
    Give the words of the shipped configuration.
    """
    return load_config().eido


@pytest.fixture(scope="session")
def read(words: EidoWords) -> Read:
    """
    Give a reader of documents that knows no table of type codes.
    """

    def reader(told: Document) -> tuple[EidoCall, Noticed]:
        noticed = Noticed()
        tables = Tables((), lambda name, code: False)
        call = read_eido(
            *(told, words, tables, noticed), agency="example", remarks_characters_max=65_536
        )
        return call, noticed

    return reader
