"""
What is left of what was erased: the one form of it, for the store, the journals and every reader.

A text that was erased is `{"erased": "sha256:…"}`, the digest of the sealed text that stood there,
so that a digest taken over sealed texts in this form stays the same. A record that was erased whole
has a body of `{"erased": {"why": …, "at": …}}`, and its call is named `erased:<record id>`.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from service.errors import CrisisRouterError
from service.instants import iso
from service.verify_log import SEALED, without_sealed

RETENTION: Final = "retention"
ERASURE: Final = "erasure"
# In words, after 'erased on …'.
WHY: Final[Mapping[str, str]] = {
    RETENTION: "its time of keeping was over",
    ERASURE: "one person asked for it and another confirmed it",
}


@dataclass(frozen=True, slots=True)
class Erased:
    """
    That a record was erased whole: why (`retention`, `erasure`), and when.
    """

    why: str
    at: str

    @property
    def words(self) -> str:
        """
        Say why, in words.
        """
        return WHY.get(self.why, self.why)

    @property
    def document(self) -> dict[str, str]:
        """
        Give it as the API shows it.
        """
        return {"why": self.why, "at": self.at}


class RecordErasedError(CrisisRouterError):
    """
    The record that is asked for was erased; `document` holds what is left of it.
    """

    def __init__(self, record_id: str, erased: Erased, record: Mapping[str, Any]) -> None:
        text = f"decision `{record_id}` was erased on {erased.at[:10]}: {erased.words}"
        super().__init__(text)
        self.record_id = record_id
        self.erased = erased
        self.record = dict(record)


def erased_text(sealed: str) -> dict[str, str]:
    """
    Give what stands in the place of a sealed text when it is erased.

    >>> erased_text("enc:k1:AAAA")["erased"][:15]
    'sha256:ad278d85'
    """
    left: dict[str, str] = without_sealed(sealed, "erased")
    return left


def erased_body(why: str, at: dt.datetime) -> dict[str, Any]:
    """
    Give what stands in the place of the body of a record when it is erased whole.
    """
    return {"erased": {"why": why, "at": iso(at)}}


def erased_call(record_id: str) -> str:
    """
    Give the name of the call of a record that was erased whole.
    """
    return f"erased:{record_id}"


def is_erased_text(value: object) -> bool:
    """
    Tell whether this stands in the place of a text that was erased.
    """
    return isinstance(value, Mapping) and isinstance(value.get("erased"), str)


def is_erased_column(text: str) -> bool:
    """
    Tell whether a column that held a sealed text says that it was erased.
    """
    return text.startswith('{"erased"')


def erased_whole(body: Mapping[str, Any]) -> Erased | None:
    """
    Say that the record with this body was erased whole; None where it was not.
    """
    told = body.get("erased")
    if not isinstance(told, Mapping):
        return None
    return Erased(str(told.get("why")), str(told.get("at")))


def without_texts(body: Mapping[str, Any]) -> dict[str, Any] | None:
    """
    Give the body of a record with every sealed text of it erased; None where there is none.

    The texts are the remark and the reasons of a call, and the comment of a report.
    """
    request = body.get("request")
    if not isinstance(request, Mapping):
        return None
    changed: dict[str, Any] = {
        name: erased_text(request[name])
        for name in ("remarks", "comment")
        if _is_sealed(request.get(name))
    }
    dismissed = request.get("dismissed") or ()
    if any(_is_sealed(one.get("reason")) for one in dismissed):
        changed["dismissed"] = [
            {**one, "reason": erased_text(one["reason"])} if _is_sealed(one.get("reason")) else one
            for one in dismissed
        ]
    return {**body, "request": {**request, **changed}} if changed else None


def has_erased_text(body: Mapping[str, Any]) -> bool:
    """
    Tell whether any text of a call's record was erased.
    """
    request = body.get("request") or {}
    dismissed = request.get("dismissed") or ()
    return is_erased_text(request.get("remarks")) or any(
        is_erased_text(one.get("reason")) for one in dismissed
    )


def _is_sealed(value: object) -> bool:
    return isinstance(value, str) and value.startswith(SEALED)
