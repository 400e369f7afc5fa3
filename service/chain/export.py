"""
Write the log of an agency, or a piece of it, as the file that `service/verify_log.py` checks.

It is written batch by batch, so that a log of any length needs little memory. Texts about a person
never leave: their fingerprints stand in their place.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
import structlog
from marshmallow import ValidationError
from sqlalchemy import Engine

from service.access import READ_AUDIT, READ_CALLS, Actor
from service.answers import MISSHAPEN
from service.chain.verification import lines_after
from service.disclosures import protected_facts
from service.instants import iso
from service.store import chain
from service.verify_log import FORM, GENESIS, NAMING_ACTS, without_sealed

log = structlog.get_logger()
CONTENT_TYPE: Final = "application/jsonl"
INCOMPLETE: Final = {"incomplete": "the export broke off here: export again"}

# Why somebody is not given the content of a line; None where they are.
Withhold = Callable[[Mapping[str, Any]], str | None]


@dataclass(frozen=True, slots=True)
class Piece:
    """
    Which places a file holds, the first and the last counted in, and the hash before the first.
    """

    agency: str
    first: int
    last: int
    previous: str

    @property
    def places(self) -> str:
        """
        Name the places, as the audit trail notes them.
        """
        return f"{self.first}-{self.last}"

    @property
    def headers(self) -> dict[str, str]:
        """
        Name the file that it is downloaded as.
        """
        named = f"log-{self.agency}-{self.places}.jsonl"
        return {"Content-Disposition": f'attachment; filename="{named}"'}


def piece_of(store: Engine, agency: str, first: int | None, last: int | None) -> Piece:
    """
    Give the piece that is asked for; None means the beginning, and the head as it is now.

    Raises:
        ValidationError: the log has no such places.
    """
    through = chain.head(store, agency).place
    begin, end = first or 1, through if last is None else last
    if begin > end + 1 or end > through:
        text = f"the log ends at place {through}: it has no places {begin} to {end}"
        raise ValidationError({"to_place" if end > through else "from_place": [text]})
    if begin == 1:
        return Piece(agency, begin, end, GENESIS)
    before = chain.at_place(store, agency, begin - 1)
    if before is None or before.hash is None:
        text = f"place {begin - 1} of the log is missing: verify the log"
        raise ValidationError({"from_place": [text]})
    return Piece(agency, begin, end, before.hash)


def withheld_from(actor: Actor, hidden: frozenset[str]) -> Withhold:
    """
    Say what an actor is not given: entries of the audit trail and calls that they may not read, and
    decisions whose review they must answer first (*hidden*), with all that was reported of them;
    and what nobody is given.
    """

    def why(line: Mapping[str, Any]) -> str | None:
        content = line["content"]
        if line["kind"] == "audit":
            # Without those that say what was erased nobody could verify the log.
            is_needed = content["act"] in NAMING_ACTS
            return None if is_needed or actor.may(READ_AUDIT) else "withheld"
        if not actor.may(READ_CALLS):
            return "withheld"
        return withheld_from_all(line) or ("withheld" if _decision_of(line) in hidden else None)

    return why


def withheld_from_all(line: Mapping[str, Any]) -> str | None:
    """
    Say what nobody is given: what is in quarantine, of which nobody knows what it holds, and
    records with facts out of protected records.

    A whole record cannot leave without the facts that are in it: they leave by the export of
    decisions, which keeps a row of every disclosure.
    """
    if line["kind"] == "quarantined":
        return "withheld"
    if line["kind"] == "audit":
        return None
    try:
        return "withheld" if protected_facts(_request_of(line["content"])) else None
    except MISSHAPEN:
        # Nobody can tell whether it holds such facts, so it stays here, and says that it was
        # changed: the verifier names its place.
        return "changed"


def _request_of(content: Mapping[str, Any]) -> Mapping[str, Any]:
    body = content["body"]
    asked = body.get("request") if isinstance(body, Mapping) else None
    return asked if isinstance(asked, Mapping) else {}


def _decision_of(line: Mapping[str, Any]) -> str:
    content = line["content"]
    if line["kind"] == "dispatch":
        return str(content["decision_id"])
    body = content["body"]
    answer = body.get("answer") if isinstance(body, Mapping) else None
    about = answer.get("decision_id") if isinstance(answer, Mapping) else None
    return str(about or line["id"])


def lines_of(store: Engine, piece: Piece, withhold: Withhold, now: dt.datetime) -> Iterator[bytes]:
    """
    Write the piece line by line; where the store goes away under way the last line says so.
    """
    try:
        yield from _lines(store, piece, withhold, now)
    except Exception as error:  # noqa: BLE001  # the server would end the file as if it were whole
        log.error("export_broken_off", error=type(error).__name__)
        yield orjson.dumps(INCOMPLETE, option=orjson.OPT_APPEND_NEWLINE)


def _lines(store: Engine, piece: Piece, withhold: Withhold, now: dt.datetime) -> Iterator[bytes]:
    header = {"log": FORM, "agency": piece.agency, "from": piece.first, "previous": piece.previous}
    yield _line({**header, "to": piece.last, "made_at": iso(now)})
    place, head = piece.first - 1, piece.previous
    while place < piece.last:
        batch = lines_after(store, piece.agency, place)
        if not batch:
            break
        for line in batch:
            if line["place"] > piece.last:
                break
            yield _line(_shown(line, withhold))
            head = line["hash"]
        place = batch[-1]["place"]
    yield _line({"end": {"place": piece.last, "hash": head}})


def _shown(line: dict[str, Any], withhold: Withhold) -> dict[str, Any]:
    if line["content"] is None:
        return line
    why = withhold(line)
    if why is not None:
        # The salt goes too, or a short content could be guessed.
        return {**line, "salt": None, "content": None, "why": why}
    return {**line, "content": without_sealed(line["content"], "sealed")}


def _line(document: Mapping[str, Any]) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)
