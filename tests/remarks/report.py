"""
Writes how well remarks are read: run `python -m tests.remarks.report` and see `docs/signals.md`.

It reads the labelled remarks and the NegEx annotations, and writes the tables between the two
marks of that page. What a mistake was is printed with `--mistakes` for the tuning half only:
whoever reads the mistakes of the test half has begun to tune to it.
"""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from service.rulesets import load_config
from tests.remarks.negex_corpus import negation, read_annotations
from tests.remarks.scoring import (
    GROUPS,
    Tally,
    grouped,
    read_labelled,
    tallies,
    unknown_read_as_absent,
)

PAGE = Path(__file__).parents[2] / "docs" / "signals.md"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
OUTCOMES = ("present", "absent", "unknown", "historical")
HALVES = {
    "test": "Test half",
    "unseen": "Unseen wording",
    "tuning": "Tuning half",
    "spanish": "Spanish and mixed",
}


def figures() -> str:
    """
    Give the tables as Markdown.
    """
    lexicon = load_config().lexicon
    found = {half: tallies(lexicon, read_labelled(half)) for half in HALVES}
    lines = []
    for half, title in HALVES.items():
        remarks = read_labelled(half)
        labels = sum(len(one["says"]) for one in remarks)
        lines += [f"### {title}: {len(remarks)} remarks, {labels} labels", ""]
        lines += list(_group_rows(found[half]))
        misread = unknown_read_as_absent(lexicon, remarks)
        lines += ["", f"Labelled unknown and read as absent: {misread}.", ""]
    lines += ["### Test half, fact by fact", "", *_fact_rows(found["test"])]
    tally, not_found = negation()
    lines += [
        "",
        "### Negation, on the NegEx annotations",
        "",
        f"{tally.labelled} negated concepts of {tally.labelled + _affirmed(tally, not_found)}:"
        f" recall {_share(tally.recall)}, precision {_share(tally.precision)}"
        f" ({not_found} concepts are marked across sentences or within a cue and are not counted).",
    ]
    return "\n".join(lines)


def _affirmed(tally: Tally, not_found: int) -> int:
    return len(read_annotations()) - tally.labelled - not_found


def _group_rows(found: Mapping[tuple[str, str], Tally]) -> Iterator[str]:
    yield "| | outcome | labelled | recall | precision | worst value wrong |"
    yield "| --- | --- | ---: | ---: | ---: | ---: |"
    for outcome in OUTCOMES:
        for name, tally in grouped(found, outcome).items():
            if tally.labelled or tally.invented:
                yield (
                    f"| {name} | {outcome} | {tally.labelled} | {_share(tally.recall)}"
                    f" | {_share(tally.precision)} | {tally.wrong_value} |"
                )


def _fact_rows(found: Mapping[tuple[str, str], Tally]) -> Iterator[str]:
    yield "| fact | outcome | labelled | recall | precision |"
    yield "| --- | --- | ---: | ---: | ---: |"
    for (fact, outcome), tally in sorted(found.items()):
        yield (
            f"| `{fact}` | {outcome} | {tally.labelled} | {_share(tally.recall)}"
            f" | {_share(tally.precision)} |"
        )


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def main() -> None:
    """
    Write the page's tables, or print what was misread of the tuning half.
    """
    if "--mistakes" in sys.argv:
        for (fact, outcome), tally in sorted(
            tallies(load_config().lexicon, read_labelled("tuning")).items()
        ):
            for example in tally.examples:
                click.echo(f"{fact} {outcome} | {example}")
        return
    page = PAGE.read_text(encoding="utf-8")
    before, after = page.split(BEGIN)[0], page.split(END)[1]
    PAGE.write_text(f"{before}{BEGIN}\n\n{figures()}\n\n{END}{after}", encoding="utf-8")
    click.echo(f"written to {PAGE}; groups: {', '.join(GROUPS)}")


if __name__ == "__main__":
    main()
