"""
The form of a call, laid out: the questions, what was told, the signals and all other facts.

Names, values and words of facts come from the vocabulary, their places from the console's layout;
protected facts are never shown.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from service.console import Console
from service.pages.answer_keys import NOT_KNOWN_KEY, letters
from service.pages.form_faults import Fault
from service.pages.signal_lines import Key, Signals, signals_of
from service.pages.taken_back import BETWEEN
from service.pages.typed_call import NOT_KNOWN, Typed, body_of, text_of
from service.routing.facts import Fact, Value, Vocabulary

# Paths of a request, with the id and the words of the field that they are typed in.
TYPED_FIELDS = {
    "call_id": ("call_id", "Call id"),
    "remarks": ("remarks", "Remarks"),
    "received_at": ("received", "Received"),
    "incident_type.registry": ("registry", "List of codes"),
    "incident_type.code": ("type-code", "Type code"),
}


@dataclass(frozen=True, slots=True)
class Option:
    """
    One value of a fact: as it is sent, in words, whether it is the one that was given, and the key
    that gives it.
    """

    text: str
    label: str
    is_chosen: bool
    key: str = ""


@dataclass(frozen=True, slots=True)
class FactField:
    """
    One fact on the form. A number has no `options`; `could_bring` names who could go then.

    `sources` are who can have said it, in words; `said` is who did. `is_at_once` marks a question
    that is asked before anything else.
    """

    name: str
    label: str
    question: str
    help: str
    text: str
    shown: str
    options: tuple[Option, ...]
    faults: tuple[str, ...] = ()
    sources: tuple[Option, ...] = ()
    could_bring: tuple[str, ...] = ()
    is_at_once: bool = False

    @property
    def is_not_known(self) -> bool:
        """
        Tell whether it was asked and nobody knows.
        """
        return self.text == NOT_KNOWN

    @property
    def said(self) -> str:
        """
        Give who said it, in words; empty where nobody knows it.
        """
        return next((one.label for one in self.sources if one.is_chosen), "")


@dataclass(frozen=True, slots=True)
class CallForm:
    """
    The form, ready to be shown; each fact stands in it exactly once.

    `faults` lists every fault with the id of its place; `faults_at` gives messages by path.
    `next_said` are who may have said the next answer; `undo` is the fact that was just answered.
    `evidence` is what stood there of each signal that is taken back, as the form carries it.
    """

    typed: Typed
    head: tuple[FactField, ...]
    questions: tuple[FactField, ...]
    known: tuple[FactField, ...]
    groups: tuple[tuple[str, tuple[FactField, ...]], ...]
    signals: Signals
    next_said: tuple[Option, ...]
    undo: FactField | None
    faults: tuple[tuple[str, str, str], ...] = ()
    faults_at: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    evidence: Mapping[Key, str] = field(default_factory=dict)

    @property
    def open_count(self) -> int:
        """
        Count the facts that nobody asked about and that are not among the questions.
        """
        return sum(len(fields) for _, fields in self.groups)


def make_form(
    vocabulary: Vocabulary,
    console: Console,
    typed: Typed,
    document: Mapping[str, Any] | None,
    faults: tuple[Fault, ...] = (),
) -> CallForm:
    """
    Lay the form out.

    Args:
        vocabulary: The facts, their values and their words.
        console: Where each fact stands, and what is asked first.
        typed: What was typed so far.
        document: The last answer; None where there is none yet.
        faults: What the schema refuses of what was typed.
    """
    by_path: dict[str, tuple[str, ...]] = {}
    for one in faults:
        by_path[one.path] = (*by_path.get(one.path, ()), one.message)
    fields = {
        name: _field(vocabulary.facts[name], typed, console, by_path) for name in vocabulary.asked
    }
    questions = tuple(_questions(vocabulary, console, fields, typed, document))
    asked = {one.name for one in questions}
    head = tuple(fields[name] for name in console.head if name not in asked)
    placed = asked | {one.name for one in head}
    known = tuple(one for one in fields.values() if one.text and one.name not in placed)
    placed |= {one.name for one in known}
    groups = (
        (title, tuple(fields[name] for name in names if name not in placed))
        for title, names in console.groups
    )
    return CallForm(
        typed,
        head,
        questions,
        known,
        tuple((title, listed) for title, listed in groups if listed),
        _signals(vocabulary, typed, document),
        _sources(console, console.offered[0]),
        next((one for one in known if one.name == typed.pressed), None),
        tuple(_place(vocabulary, one) for one in faults),
        by_path,
        {key: BETWEEN.join(sorted(said)) for key, said in typed.taken.known.items()},
    )


def _questions(
    vocabulary: Vocabulary,
    console: Console,
    fields: Mapping[str, FactField],
    typed: Typed,
    document: Mapping[str, Any] | None,
) -> Iterator[FactField]:
    """
    Give the questions in the order in which to ask them: what a danger that was reported asks at
    once, then what the rules ask, or before an answer what the console asks first.
    """
    at_once = console.at_once(_known(vocabulary, typed, document))
    if document is None:
        brings: Mapping[str, tuple[str, ...]] = dict.fromkeys(console.ask_first, ())
    else:
        brings = {one["fact"]: tuple(one["could_change_to"]) for one in document["ask_next"]}
    for name in dict.fromkeys((*at_once, *brings)):
        if name in fields and not fields[name].text:
            yield replace(
                fields[name],
                options=_with_keys(fields[name].options),
                could_bring=brings.get(name, ()),
                is_at_once=name in at_once,
            )


def _with_keys(options: tuple[Option, ...]) -> tuple[Option, ...]:
    """
    Give each answer its key; the last of them is 'Not known'.
    """
    keys = (*letters([one.label for one in options[:-1]]), NOT_KNOWN_KEY)
    return tuple(replace(one, key=key) for one, key in zip(options, keys, strict=False))


def _known(
    vocabulary: Vocabulary, typed: Typed, document: Mapping[str, Any] | None
) -> dict[str, Value]:
    """
    Give what counts as known: what was told, and what a signal filled or raised.
    """
    known: dict[str, Value] = body_of(typed, vocabulary)["facts"]
    signals = document["signals"] if document else ()
    used = (one for one in signals if one["used"] and one["value"] is not None)
    return known | {one["fact"]: one["value"] for one in used}


def _field(
    fact: Fact, typed: Typed, console: Console, faults: Mapping[str, tuple[str, ...]]
) -> FactField:
    text = typed.facts.get(fact.name, "")
    options: tuple[Option, ...] = ()
    if fact.kind != "number":
        values = [(text_of(value), fact.label_of(value)) for value in fact.values]
        options = tuple(
            Option(one, label, one == text) for one, label in (*values, (NOT_KNOWN, "Not known"))
        )
    shown = next((one.label for one in options if one.is_chosen), text)
    is_said = text not in ("", NOT_KNOWN) and fact.name not in console.head
    return FactField(
        fact.name,
        fact.label,
        fact.question,
        fact.help,
        text,
        "Asked, nobody knows" if text == NOT_KNOWN else shown,
        options,
        (*faults.get(f"facts.{fact.name}", ()), *faults.get(f"fact_sources.{fact.name}.from", ())),
        _sources(console, typed.sources.get(fact.name, console.offered[0])) if is_said else (),
    )


def _sources(console: Console, chosen: str) -> tuple[Option, ...]:
    """
    Give who can have said a fact; one that only another system can name is offered where it stands.
    """
    names = dict.fromkeys((*console.offered, chosen))
    return tuple(Option(name, console.sources.get(name, name), name == chosen) for name in names)


def _signals(vocabulary: Vocabulary, typed: Typed, document: Mapping[str, Any] | None) -> Signals:
    """
    Give the signals of the last answer. It was read out of what is typed, unless it came from the
    record: then out of what was kept.
    """
    read = document or {}
    remark = (read["request"].get("remarks") or "") if "request" in read else typed.remarks
    facts = body_of(typed, vocabulary)["facts"]
    return signals_of(vocabulary, read, remark, typed.taken.reasons, facts)


def _place(vocabulary: Vocabulary, fault: Fault) -> tuple[str, str, str]:
    """
    Give the id of the field that a fault is about, what the page calls it, and the message.
    """
    head, _, name = fault.path.partition(".")
    fact = name.removesuffix(".from")
    if head in ("facts", "fact_sources") and fact in vocabulary.asked:
        return f"f-{fact}", vocabulary.facts[fact].label, fault.message
    if head == "dismissed":
        return "signals", "Reason for taking a signal back", fault.message
    return (*TYPED_FIELDS.get(fault.path, ("", fault.path)), fault.message)
