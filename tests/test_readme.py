"""
The README tells the truth: its example answer is what the service answers.
"""

import datetime as dt
import json
import re
from pathlib import Path

from click.testing import CliRunner

from service.answers import recommendation_document
from service.cli import main
from service.routing.decide import decide
from service.routing.facts import CallFacts
from service.routing.recommendation import Call
from service.rulesets import load_config
from service.store.database import read_url

README = (Path(__file__).resolve().parent.parent / "README.md").read_text()


def test_the_example_of_the_readme_is_the_real_answer() -> None:
    """
    Rules, questions, changes and note of the example are those of the answer to its own request.
    """
    sent = re.search(r"-d '(\{.*?\})'", README, re.DOTALL)
    shown = re.search(r"```json\n(.*?)```", README, re.DOTALL)
    assert sent
    assert shown
    config = load_config()
    call = Call(CallFacts.of(config.vocabulary, json.loads(sent[1])["facts"]))
    published = config.rulesets["national-baseline"]
    answer = recommendation_document(
        decide(call, published.router, {}, dt.date(2026, 11, 24)), published, config.vocabulary
    )
    assert re.findall(r'"rule": "(.*?)"', shown[1]) == [one["rule"] for one in answer["because"]]
    assert re.findall(r'"kind": "(.*?)"', shown[1]) == [
        one["kind"] for one in answer["recommendation"]["responders"]
    ]
    for one in (*answer["because"], *answer["ask_next"]):
        words = one.get("text") or one["question"]
        assert json.dumps(words, ensure_ascii=False) in shown[1]
    for one in answer["would_change"][:2]:
        assert json.dumps(one, ensure_ascii=False) in shown[1]
    assert json.dumps(answer["note"], ensure_ascii=False) in shown[1]


def test_the_address_of_a_store_is_shown_where_one_looks_for_it() -> None:
    """
    The README and `crisis-router settings` show the form of an address on PostgreSQL, and it is one
    that is read.
    """
    address = "postgresql://user:password@host:5432/name"
    assert address in README
    assert address in CliRunner().invoke(main, ["settings"]).output
    assert read_url(address).database == "name"
