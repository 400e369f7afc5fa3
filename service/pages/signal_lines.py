"""
Signals in words: what a type code or a remark says of a fact, whether it counts, and which words of
the remark say so.

The console, the page of a decision and the sheet of a review tell them alike. Nothing is judged
here. A remark is anybody's text: it is cut into pieces and never into markup.

>>> [piece.text for piece in marked("HAS A GUN", (("present", 1, (6, 9)),))]
['HAS A ', 'GUN']
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final

from service.pages.form_faults import as_sentence
from service.request import SIGNALS_CONTRADICT
from service.routing.facts import Fact, Vocabulary

# What an outcome says of the value beside it, and the class of its mark. The worst first: where
# evidence overlaps, its line is the innermost.
OUTCOMES: Final[Mapping[str, tuple[str, str]]] = {
    "present": ("said", "ev"),
    "unknown": ("nobody knows", "ev ev-unknown"),
    "absent": ("denied", "ev ev-absent"),
    "historical": ("in the past", "ev ev-past"),
}
READ_FROM: Final[Mapping[str, str]] = {"incident_type": "type code", "remarks": "remarks"}
REMARKS: Final = "remarks"
TAKEN_BACK: Final = "ev-taken"
EVIDENCE_CHARACTERS_MAX: Final = 120  # of the words that are said again beside a signal

Key = tuple[str, str]  # the fact and the source of a signal: what a person takes back
Evidence = tuple[str, int, tuple[int, int]]  # the mark of a signal, its number, and its place


@dataclass(frozen=True, slots=True)
class SignalLine:
    """
    One signal in words.

    `number` is its own on the page; `words` are those of the remark that say it, empty for a code
    and where the remark is not kept. `reason` is why a person took it back. Those of one fact from
    one source are taken back together: `of_count` is how many they are, on the last of them, and 0
    on the others.
    """

    number: int
    fact: str
    source: str
    label: str
    value: str
    outcome: str
    words: str
    is_used: bool
    why: str
    reason: str
    is_dismissed: bool
    of_count: int

    @property
    def read_from(self) -> str:
        """
        Say where it was read.
        """
        return READ_FROM.get(self.source, self.source.replace("_", " "))

    @property
    def key(self) -> str:
        """
        Name what is taken back, as the form sends it.
        """
        return f"{self.source}.{self.fact}"

    @property
    def says(self) -> str:
        """
        Say what it says of its fact, in the words within a sentence.
        """
        how = OUTCOMES.get(self.outcome, (self.outcome, ""))[0]
        return f"{self.value}, {how}" if self.value else how


@dataclass(frozen=True, slots=True)
class Piece:
    """
    A piece of a remark. `marks` are classes, the outermost first, none where no evidence stands;
    `ends` are the numbers of the signals whose evidence ends here.
    """

    text: str
    marks: tuple[str, ...]
    ends: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Signals:
    """
    All that signals say of one call: the lines, the remark with its evidence marked, and what
    contradicts what. `is_forgotten` tells that there was a remark whose words are not at hand.
    """

    lines: tuple[SignalLine, ...]
    remark: tuple[Piece, ...]
    contradictions: tuple[str, ...]
    is_forgotten: bool = False

    @property
    def has_evidence(self) -> bool:
        """
        Tell whether any word of the remark is marked.
        """
        return any(piece.marks for piece in self.remark)

    @property
    def counting(self) -> tuple[str, ...]:
        """
        Name what counts and can be taken back, in the order of the lines.
        """
        return tuple(dict.fromkeys(line.key for line in self.lines if line.is_used))

    @property
    def is_open(self) -> bool:
        """
        Tell whether any signal is there to be seen.
        """
        return bool(self.lines or self.is_forgotten)


def signals_of(
    vocabulary: Vocabulary,
    document: Mapping[str, Any],
    remark: str,
    dismissed: Mapping[Key, str],
    told: Mapping[str, Any],
) -> Signals:
    """
    Put the signals of an answer into words.

    Args:
        vocabulary: The words of facts and values.
        document: The answer: `signals` and `warnings`.
        remark: What it was read out of; empty where it is not at hand.
        dismissed: What a person took back, and why.
        told: The facts that people told.
    """
    listed = _together(document.get("signals") or ())
    lines = tuple(_lines(vocabulary, listed, remark, dismissed))
    shown = []
    for line, one in zip(lines, listed, strict=False):
        span = span_of(one, remark)
        if span is not None:
            shown.append((TAKEN_BACK if line.is_dismissed else line.outcome, line.number, span))
    warned = [
        as_sentence(one["message"])
        for one in document.get("warnings") or ()
        if one.get("code") == SIGNALS_CONTRADICT
    ]
    said = tuple(_contradictions(vocabulary, lines, told)) if warned else ()
    is_forgotten = not remark and any(line.source == REMARKS for line in lines)
    return Signals(lines, marked(remark, shown), said or tuple(warned), is_forgotten)


def signals_of_record(vocabulary: Vocabulary, document: Mapping[str, Any]) -> Signals:
    """
    Put the signals of a record into words: its remark, if it was kept, and what was taken back.
    """
    request = document["request"]
    remark, told = request.get("remarks") or "", request.get("facts") or {}
    found = signals_of(vocabulary, document, remark, dismissed_of(request), told)
    return replace(found, is_forgotten=found.is_forgotten or request.get("remarks_kept") is False)


def dismissed_of(request: Mapping[str, Any]) -> dict[Key, str]:
    """
    Give what a kept request took back, and why.
    """
    listed = request.get("dismissed") or ()
    return {(one["fact"], one["source"]): one.get("reason") or "" for one in listed}


def _together(signals: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """
    Put signals of one fact and source beside each other, since they are taken back together.
    """
    groups: dict[Key, list[Mapping[str, Any]]] = {}
    for one in signals:
        groups.setdefault((one["fact"], one["source"]), []).append(one)
    return [one for group in groups.values() for one in group]


def _lines(
    vocabulary: Vocabulary,
    signals: Sequence[Mapping[str, Any]],
    remark: str,
    dismissed: Mapping[Key, str],
) -> Iterator[SignalLine]:
    keys = [(one["fact"], one["source"]) for one in signals]
    for place, one in enumerate(signals):
        key, fact = keys[place], vocabulary.facts.get(one["fact"])
        yield SignalLine(
            number=place + 1,
            fact=key[0],
            source=key[1],
            label=fact.label if fact else key[0].replace("_", " "),
            value=value_within(fact, one["value"]),
            outcome=str(one["outcome"]),
            words=_quoted(remark, span_of(one, remark)),
            is_used=bool(one["used"]),
            why=one["why"] or "",
            reason=dismissed.get(key, ""),
            is_dismissed=key in dismissed,
            of_count=keys.count(key) if key not in keys[place + 1 :] else 0,
        )
    for key in [one for one in dismissed if one not in keys]:
        fact, number = vocabulary.facts.get(key[0]), len(keys) + 1
        keys.append(key)
        label = fact.label if fact else key[0]
        gone = (number, *key, label, "", "", "", False, "nothing says so now")
        yield SignalLine(*gone, reason=dismissed[key], is_dismissed=True, of_count=1)


def value_within(fact: Fact | None, value: Any) -> str:
    """
    Put a value into words as they stand within a sentence; empty where there is none.
    """
    if value is None:
        return ""
    if fact is None:
        return str(value)
    words = fact.label_of(value)
    return words if fact.capitals else words[:1].lower() + words[1:]


def span_of(signal: Mapping[str, Any], remark: str) -> tuple[int, int] | None:
    """
    Give the place of a signal's evidence in the remark, if it is one of this remark.
    """
    span = signal.get("text_span")
    if signal["source"] != REMARKS or not isinstance(span, list | tuple) or len(span) != 2:
        return None
    start, end = span
    are_whole = isinstance(start, int) and isinstance(end, int)
    return (start, end) if are_whole and 0 <= start < end <= len(remark) else None


def _quoted(remark: str, span: tuple[int, int] | None) -> str:
    words = " ".join(remark[slice(*span)].split()) if span else ""
    is_long = len(words) > EVIDENCE_CHARACTERS_MAX
    return f"{words[: EVIDENCE_CHARACTERS_MAX - 1]}…" if is_long else words


def marked(remark: str, evidence: Sequence[Evidence]) -> tuple[Piece, ...]:
    """
    Cut a remark where evidence begins and ends. Every character of it stands in exactly one piece,
    in its order; where evidence overlaps, a piece has the mark of each kind.
    """
    cuts = {0, len(remark)} | {place for _, _, span in evidence for place in span}
    ordered = sorted(cuts)
    ranks = [*OUTCOMES, TAKEN_BACK]
    pieces = []
    for start, end in pairwise(ordered):
        kinds = {kind for kind, _, span in evidence if span[0] <= start and end <= span[1]}
        inside = sorted(kinds, key=lambda kind: -ranks.index(kind) if kind in ranks else 0)
        marks = tuple(OUTCOMES[kind][1] if kind in OUTCOMES else f"ev {kind}" for kind in inside)
        ends = tuple(sorted(number for _, number, span in evidence if span[1] == end))
        pieces.append(Piece(remark[start:end], marks, ends))
    return tuple(pieces)


def _contradictions(
    vocabulary: Vocabulary, lines: Sequence[SignalLine], told: Mapping[str, Any]
) -> Iterator[str]:
    """
    Say of each fact what speaks for it and what against it; what was taken back says nothing.
    """
    by_fact: dict[str, list[SignalLine]] = {}
    for line in lines:
        if not line.is_dismissed and line.outcome in ("present", "absent"):
            by_fact.setdefault(line.fact, []).append(line)
    for name, group in by_fact.items():
        fact = vocabulary.facts.get(name)
        said = [_claim(line) for line in group]
        values = {(line.outcome, line.value) for line in group}
        if fact is not None and told.get(name) not in (None, "unknown"):
            if told[name] == fact.mildest and any(line.outcome == "present" for line in group):
                said.insert(0, f"{value_within(fact, told[name])} was told")
                values.add(("told", value_within(fact, told[name])))
        is_both = {"present", "absent"} <= {line.outcome for line in group}
        are_two = len({line.source for line in group}) > 1 and len(values) > 1
        if is_both or are_two or len(said) > len(group):
            yield f"{group[0].label}: {'; '.join(said)}. The riskier counts."


def _claim(line: SignalLine) -> str:
    by = f"“{line.words}”" if line.words else f"the {line.read_from}"
    return f"{by} says {line.value or line.says} ({line.number})"
