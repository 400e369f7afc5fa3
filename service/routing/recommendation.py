"""
What the service answers: advice, its reasons, what is not known, and what would change it.

Plain frozen data. `decide.py` makes it; `service/api` writes it as JSON. Nobody in it is a real
unit until there is a directory, so `team`, `name`, `contact` and `eta_minutes` stay empty rather
than invented.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from service.routing.availability import Fallback
from service.routing.facts import CallFacts, Value
from service.routing.questions import Change, Question
from service.routing.rules import Rule
from service.routing.signals import Signal


@dataclass(frozen=True, slots=True)
class Call:
    """
    One call as it is decided: what people told, what codes and remarks say, and what a person took
    back.

    `withheld` names facts that came from a protected record: they route, and stand in no note.
    """

    facts: CallFacts
    signals: tuple[Signal, ...] = ()
    dismissed: frozenset[tuple[str, str]] = frozenset()
    withheld: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Responder:
    """
    One kind of responder, how to bring them in, and what they need with them.
    """

    kind: str
    how: str
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Warned:
    """
    Something the caller of the service should know about the answer; `code` is stable, `path` may
    be empty.
    """

    code: str
    message: str
    path: str = ""


@dataclass(frozen=True, slots=True)
class PoliceReason:
    """
    Why law enforcement is in the answer: a rule that says what danger asked for it, or what it
    stands in for.
    """

    text: str
    rule: str | None = None
    fallback: str | None = None


@dataclass(frozen=True, slots=True)
class Recommendation:
    """
    The whole answer at the level of kinds of responder. `responders` is never empty and is in the
    order to act.

    `rules` are those that hold, hazards first in file order, then the need. `questions` are at most
    three.
    """

    urgency: str
    responders: tuple[Responder, ...]
    send_now: tuple[str, ...]
    notify: tuple[str, ...]
    preferred: tuple[str, ...]
    fallback: Fallback | None
    is_provisional: bool
    rules: tuple[Rule, ...]
    police_because: tuple[PoliceReason, ...]
    questions: tuple[Question, ...]
    changes: tuple[Change, ...]
    signals: tuple[Signal, ...]
    note: str
    mode: str = "full"
    warnings: tuple[Warned, ...] = ()
    known: Mapping[str, Value] = field(default_factory=dict)

    @property
    def kinds(self) -> frozenset[str]:
        """
        Give who goes, without order.
        """
        return frozenset(responder.kind for responder in self.responders)
