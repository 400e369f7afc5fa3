"""
What was sent: the part of the call page that reports it, what was typed there, and what is on
record.

It judges nothing: the same function that takes a report from a dispatch system does.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from werkzeug.datastructures import MultiDict

from service.pages.form_faults import Fault
from service.pages.typed_call import local_time, with_offset
from service.routing.facts import Vocabulary

AS_RECOMMENDED: Final = "as"
SOMETHING_ELSE: Final = "else"
NOBODY: Final = "nobody"
WAYS: Final = (AS_RECOMMENDED, SOMETHING_ELSE, NOBODY)
TICK_SOMEBODY = "tick who was sent; if nobody was, press ‘Nobody was sent…’"
MEMBERS = {
    "responders": ("kinds", "Who was sent"),
    "reason": ("reason", "Reason"),
    "comment": ("comment", "Comment"),
    "call_back_at": ("call-back", "Call back at"),
}


@dataclass(frozen=True, slots=True)
class Told:
    """
    The fields of one way to report: who, why, in which words, and when the caller is called back.
    """

    kinds: tuple[str, ...] = ()
    reason: str = ""
    comment: str = ""
    call_back: str = ""


@dataclass(frozen=True, slots=True)
class TypedSent:
    """
    What was typed of what was sent: `way` is the one that was pressed, empty for none.

    `after` is the id of the report that stood there, so that a correction back is no repeat.
    """

    way: str = ""
    told: Mapping[str, Told] = field(default_factory=dict)
    after: str = ""

    def of(self, way: str) -> Told:
        """
        Give what was typed for one way.
        """
        return self.told.get(way, Told())


@dataclass(frozen=True, slots=True)
class SentLine:
    """
    One report on record: who went, when and by whom it was told, and why it differs.
    """

    kinds: tuple[str, ...]
    reported_at: dt.datetime
    by: str
    reason: str
    comment: str
    call_back_at: dt.datetime | None
    is_override: bool
    released: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SentPanel:
    """
    The part of the page about what was sent.

    `lines` are the reports on record, the latest last; it counts. `owes_reason_for` are kinds that
    an earlier revision asked for and this one does not: not to send them needs a reason. `would_be`
    says, in practice, what would have been recorded.
    """

    typed: TypedSent
    reasons: tuple[tuple[str, str], ...]
    lines: tuple[SentLine, ...] = ()
    owes_reason_for: tuple[str, ...] = ()
    call_back: str = ""
    faults: tuple[tuple[str, str, str], ...] = ()
    is_lost: bool = False
    would_be: SentLine | None = None

    @property
    def latest(self) -> SentLine | None:
        """
        Give the report that counts, or None.
        """
        return self.lines[-1] if self.lines else None

    def at(self, id_: str) -> tuple[str, ...]:
        """
        Give what is wrong at one field.
        """
        return tuple(message for place, _, message in self.faults if place == id_)


def read_sent(form: MultiDict[str, str], vocabulary: Vocabulary) -> TypedSent:
    """
    Read what was typed and pressed of what was sent.
    """
    told = {
        way: Told(
            tuple(kind for kind in vocabulary.responders if kind in form.getlist(f"{way}.kinds")),
            form.get(f"{way}.reason", ""),
            form.get(f"{way}.comment", "").replace("\r\n", "\n").strip(),
            form.get(f"{way}.call_back", "").strip(),
        )
        for way in WAYS
    }
    way, nobody = form.get("sent", ""), told[NOBODY]
    if way != NOBODY and not (nobody.reason or nobody.comment):
        # The time that stood there by itself is not kept: it would soon have passed.
        told[NOBODY] = Told()
    return TypedSent(way if way in WAYS else "", told, form.get("sent_after", ""))


def report_of(typed: TypedSent, recommended: Iterable[str], time_zone: str) -> dict[str, Any]:
    """
    Write what was typed as a report, for the schema to judge.
    """
    told = typed.of(typed.way)
    sent = {AS_RECOMMENDED: tuple(recommended), SOMETHING_ELSE: told.kinds}.get(typed.way, ())
    back = with_offset(told.call_back, time_zone) if typed.way == NOBODY else ""
    return {
        "responders": list(sent),
        "reason": told.reason or None,
        "comment": told.comment or None,
        "call_back_at": back or None,
    }


def faults_of_sent(way: str, faults: Iterable[Fault]) -> Iterator[tuple[str, str, str]]:
    """
    Give each fault the id of its field, what the page calls it, and the message.
    """
    for one in faults:
        name, what = MEMBERS.get(one.path.partition(".")[0], ("", one.path))
        yield (f"{way}-{name}" if name else "sent"), what, one.message


def line_of(
    report: Mapping[str, Any], by: str, reasons: Mapping[str, str], at: dt.datetime | None = None
) -> SentLine:
    """
    Put a report into words; *at* stands for its time where it was never recorded.
    """
    back, reason = report["call_back_at"], report["reason"] or ""
    return SentLine(
        tuple(report["responders"]),
        at or dt.datetime.fromisoformat(report["reported_at"]),
        by,
        reasons.get(reason, reason),
        report["comment"] or "",
        dt.datetime.fromisoformat(back) if back else None,
        bool(report["override"]),
        tuple(report["released"]),
        tuple(one["message"] for one in report.get("warnings", ())),
    )


def call_back_default(now: dt.datetime, minutes: int, time_zone: str) -> str:
    """
    Give the time that stands in the field for a call-back before anybody changes it.
    """
    return local_time(now + dt.timedelta(minutes=minutes), time_zone)
