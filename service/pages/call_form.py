"""
The form of a call: what was typed, and the questions, told facts and other facts that it shows.

The form holds everything, so the page needs no memory: each press sends the whole call again.
Names, values and words of facts come from the vocabulary; protected facts are never shown and
never read.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from werkzeug.datastructures import MultiDict

from service.routing.facts import Fact, Value, Vocabulary

NOT_KNOWN = "unknown"
INTEGER_DIGITS_MAX = 9

# Asked before the first answer: the facts that decide most between the kinds of responder. After
# it the rules say what to ask.
KEY_QUESTIONS = (
    "caller",
    "suicide",
    "weapon",
    "weapon_access",
    "violence",
    "medical",
    "consciousness",
    "breathing",
)

# The headings of the vocabulary's own sections, each by the fact that opens it.
GROUPS: Mapping[str, str] = {
    "channel": "The call, and who is calling",
    "suicide": "Harm to self",
    "violence": "Harm to others, and dangers on scene",
    "medical": "Medical: whoever is worst off",
    "behavioral_health": "Behavioral health",
    "age": "The person in crisis",
}


@dataclass(frozen=True, slots=True)
class Typed:
    """
    What was typed, as text: `facts` holds only those with an answer, `away` who cannot come.

    `seen` is the id of the decision that stood beside the form.
    """

    call_id: str = ""
    remarks: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    away: tuple[str, ...] = ()
    seen: str = ""

    def pairs(self) -> tuple[tuple[str, str], ...]:
        """
        Give names and values that carry all of it through another form.
        """
        facts = tuple((f"fact.{name}", text) for name, text in self.facts.items())
        away = tuple(("away", kind) for kind in self.away)
        whole = (("call_id", self.call_id), ("remarks", self.remarks), ("seen", self.seen))
        return (*whole, *facts, *away)

    def named(self, call_id: str) -> "Typed":
        """
        Give the same with *call_id* where none was typed.
        """
        return self if self.call_id else replace(self, call_id=call_id)


@dataclass(frozen=True, slots=True)
class Fault:
    """
    One thing that the schema refuses: the path in the request, and what is wrong there.
    """

    path: str
    message: str


@dataclass(frozen=True, slots=True)
class Option:
    """
    One value of a fact: as it is sent, in words, and whether it is the one that was given.
    """

    text: str
    label: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class FactField:
    """
    One fact on the form. A number has no `options`; `could_bring` names who could go then.
    """

    name: str
    label: str
    question: str
    help: str
    text: str
    shown: str
    options: tuple[Option, ...]
    faults: tuple[str, ...] = ()
    could_bring: tuple[str, ...] = ()

    @property
    def is_not_known(self) -> bool:
        """
        Tell whether it was asked and nobody knows.
        """
        return self.text == NOT_KNOWN


@dataclass(frozen=True, slots=True)
class CallForm:
    """
    The form, ready to be shown; each fact stands in it exactly once.

    `faults` lists every fault with the id of its place; `faults_at` gives messages by path.
    """

    typed: Typed
    questions: tuple[FactField, ...]
    known: tuple[FactField, ...]
    groups: tuple[tuple[str, tuple[FactField, ...]], ...]
    faults: tuple[tuple[str, str, str], ...] = ()
    faults_at: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def open_count(self) -> int:
        """
        Count the facts that nobody asked about and that are not among the questions.
        """
        return sum(len(fields) for _, fields in self.groups)


def read_typed(form: MultiDict[str, str], vocabulary: Vocabulary) -> Typed:
    """
    Read what was typed and pressed; an answer that was pressed goes over the same fact's field.
    """
    facts = {}
    for name in vocabulary.asked:
        text = form.get(f"fact.{name}", "").strip()
        if not text and f"unknown.{name}" in form:
            text = NOT_KNOWN
        if text:
            facts[name] = text
    name, is_answer, text = form.get("answer", "").partition("=")
    fact = vocabulary.facts.get(name)
    if is_answer and not (fact and fact.protected):
        facts[name] = text
    return Typed(
        form.get("call_id", "").strip(),
        form.get("remarks", "").replace("\r\n", "\n"),
        facts,
        tuple(kind for kind in vocabulary.responders if kind in form.getlist("away")),
        form.get("seen", ""),
    )


def body_of(typed: Typed, vocabulary: Vocabulary) -> dict[str, Any]:
    """
    Write what was typed as a request for a recommendation, for the schema to judge.
    """
    body: dict[str, Any] = {
        "call_id": typed.call_id,
        "facts": {
            name: _value_of(vocabulary.facts.get(name), text) for name, text in typed.facts.items()
        },
    }
    if typed.remarks:
        body["remarks"] = typed.remarks
    if typed.away:
        body["availability"] = dict.fromkeys(typed.away, False)
    return body


def _value_of(fact: Fact | None, text: str) -> object:
    if fact is None or text == NOT_KNOWN:
        return text
    if fact.kind == "flag":
        return {"true": True, "false": False}.get(text, text)
    is_integer = text.isascii() and text.isdigit() and len(text) <= INTEGER_DIGITS_MAX
    return int(text) if fact.kind == "number" and is_integer else text


def faults_of(messages: object, path: str = "") -> Iterator[Fault]:
    """
    Flatten what marshmallow says into one fault for each place, without the code marks of the API.
    """
    if isinstance(messages, Mapping) and isinstance(messages.get("message"), str):
        yield Fault(path, messages["message"].replace("`", ""))
    elif isinstance(messages, Mapping):
        for name, inner in messages.items():
            yield from faults_of(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(messages, list):
        for inner in messages:
            yield from faults_of(inner, path)
    else:
        yield Fault(path, str(messages).replace("`", ""))


def make_form(
    vocabulary: Vocabulary,
    typed: Typed,
    ask_next: Sequence[Mapping[str, Any]] | None,
    faults: tuple[Fault, ...] = (),
) -> CallForm:
    """
    Lay the form out.

    Args:
        vocabulary: The facts, their values and their words.
        typed: What was typed so far.
        ask_next: The questions of the last answer; None where there is none yet.
        faults: What the schema refuses of it.
    """
    by_path: dict[str, tuple[str, ...]] = {}
    for one in faults:
        by_path[one.path] = (*by_path.get(one.path, ()), one.message)
    fields = {
        name: _field(vocabulary.facts[name], typed.facts.get(name, ""), by_path)
        for name in vocabulary.asked
    }
    if ask_next is None:
        asked: dict[str, tuple[str, ...]] = dict.fromkeys(KEY_QUESTIONS, ())
    else:
        asked = {one["fact"]: tuple(one["could_change_to"]) for one in ask_next}
    questions = tuple(
        replace(fields[name], could_bring=brings)
        for name, brings in asked.items()
        if name in fields and not fields[name].text
    )
    placed = {one.name for one in questions} | typed.facts.keys()
    return CallForm(
        typed,
        questions,
        tuple(one for one in fields.values() if one.text),
        _groups([one for one in fields.values() if one.name not in placed], vocabulary),
        tuple(_place(vocabulary, one) for one in faults),
        by_path,
    )


def _field(fact: Fact, text: str, faults: Mapping[str, tuple[str, ...]]) -> FactField:
    options: tuple[Option, ...] = ()
    if fact.kind != "number":
        values = [(_text_of(value), fact.label_of(value)) for value in fact.values]
        options = tuple(
            Option(one, label, one == text) for one, label in (*values, (NOT_KNOWN, "Not known"))
        )
    shown = next((one.label for one in options if one.is_chosen), text)
    if text == NOT_KNOWN:
        shown = "Asked, nobody knows"
    path = f"facts.{fact.name}"
    return FactField(
        fact.name,
        fact.label,
        fact.question,
        fact.help,
        text,
        shown,
        options,
        faults.get(path, ()),
    )


def _text_of(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _groups(
    fields: Sequence[FactField], vocabulary: Vocabulary
) -> tuple[tuple[str, tuple[FactField, ...]], ...]:
    by_name = {one.name: one for one in fields}
    title, groups = "Facts", dict[str, list[FactField]]()
    for name in vocabulary.asked:
        title = GROUPS.get(name, title)
        if name in by_name:
            groups.setdefault(title, []).append(by_name[name])
    return tuple((title, tuple(listed)) for title, listed in groups.items())


def _place(vocabulary: Vocabulary, fault: Fault) -> tuple[str, str, str]:
    """
    Give the id of the field that a fault is about, what the page calls it, and the message.
    """
    head, _, name = fault.path.partition(".")
    if head == "facts" and name in vocabulary.asked:
        return f"f-{name}", vocabulary.facts[name].label, fault.message
    known = {"call_id": "Call id", "remarks": "Remarks"}
    return (head if head in known else "", known.get(head, fault.path), fault.message)
