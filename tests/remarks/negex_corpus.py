"""
Runs the negation of the English lexicon over the NegEx annotations: clinical sentences with a
marked concept that is affirmed or negated.
"""

import csv
from pathlib import Path
from typing import Any

from service.routing.facts import Vocabulary
from service.routing.lexicon import read_lexicon
from service.routing.phrases import folded
from service.routing.signals import read_remarks
from service.settings import shipped_config
from service.yaml_files import read_yaml
from tests.remarks.scoring import Tally

ANNOTATIONS = Path(__file__).parent / "negex" / "annotations.csv"
AROUND = ("close", "loose", "ends", "joins", "ors", "cues")  # what turns a phrase, and its reach


def read_annotations() -> list[dict[str, str]]:
    """
    Read the sentences whose concept is labelled as affirmed or negated.
    """
    with ANNOTATIONS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [row for row in rows if row["negation"] in ("Negated", "Affirmed")]


def negation() -> tuple[Tally, int]:
    """
    Tally how well negated concepts are told from affirmed ones, and count the sentences in which
    the concept is not found as it is marked (it spans sentences, or is part of a cue).
    """
    rows = read_annotations()
    concepts = dict.fromkeys(" ".join(folded(row["concept"])) for row in rows)
    named = {concept: f"concept_{number}" for number, concept in enumerate(concepts) if concept}
    vocabulary = Vocabulary.of({"facts": {name: {"kind": "flag"} for name in named.values()}})
    english, _ = read_yaml(shipped_config() / "remarks" / "en.yaml")
    document: dict[str, Any] = {key: english[key] for key in AROUND}
    document["says"] = {name: {"true": [concept]} for concept, name in named.items()}
    document["nouns"] = list(named)
    document["everywhere"] = list(named.values())
    lexicon, _ = read_lexicon(vocabulary, {"negex": (document, {})})
    tally, not_found = Tally(), 0
    for row in rows:
        name = named.get(" ".join(folded(row["concept"])))
        read = {one.outcome for one in read_remarks(lexicon, row["sentence"]) if one.fact == name}
        is_negated = row["negation"] == "Negated"
        if not read:
            not_found += 1
        elif "absent" in read and is_negated:
            tally.right += 1
        elif is_negated:
            tally.missed += 1
        elif "absent" in read:
            tally.invented += 1
    return tally, not_found
