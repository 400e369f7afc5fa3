"""
Verify an export of a log of decisions, far from the service that wrote it.

One file, Python's standard library alone, any Python from 3.9 on:

    python verify_log.py export.jsonl --anchor 1042:9f86d081884c7d65...

An export is JSON lines: a header, one line for each record of the log in the order of its place,
and a trailer. Each record has a digest of its content, and a hash over its place, its names, that
digest and the hash before it; so nobody changes, removes, adds or moves a record without every
later hash being another. The exit code is 0 where all is good, 1 at a fault, 2 where the file
cannot be read.

>>> canonical({"b": "enc:k1:AAAA", "a": 1})
b'{"a":1,"b":{"erased":"sha256:ad278d853fb32c96be8b3ccbe2e995dde8824b4d348aac6ca744b6f0516a6c12"}}'
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sqlite3
import sys
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Any

FORM = "crisis-router log 1"
GENESIS = "0" * 64  # what stands before the first record of a log
LINE_BYTES_MAX = 64 * 1024 * 1024
LOOK_BACK = 64  # records that somebody may have put in and joined up, to be told from a change
SEALED = "enc:"  # text about a person begins so in the store, and never leaves it
NAMING_ACTS = ("purged", "erased")
NAMES = ("place", "kind", "id", "host_id", "number", "digest", "hash")

Line = dict[str, Any]


# In compact JSON a quote behind one of these signs begins a text, one before a colon ends a name,
# and inside a text every quote has a backslash before it.
_SEALED_TEXT = re.compile(r'(?:(?<=[\[,:])|\A)"enc:(?:[^"\\]|\\.)*"(?!:)')
_SEALED_FINGERPRINT = re.compile(r'\{"sealed":("sha256:(?:[^"\\]|\\.)*")\}')


def canonical(content: Any) -> bytes:
    """
    Write content in the one way that its digest is taken of: JSON with sorted names, no spaces, and
    every sealed text as `{"erased": "sha256:..."}`, so that a text can go and the digest stays.
    """
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    if '"' + SEALED in text:
        text = _SEALED_TEXT.sub(_fingerprint, text)
    if '{"sealed":' in text:
        text = _SEALED_FINGERPRINT.sub(r'{"erased":\1}', text)
    return text.encode("utf-8", "surrogatepass")


def _fingerprint(found: re.Match[str]) -> str:
    fingerprint: dict[str, str] = without_sealed(json.loads(found[0]), "erased")
    return json.dumps(fingerprint, separators=(",", ":"))


def without_sealed(content: Any, word: str) -> Any:
    """
    Give content with `{word: "sha256:..."}` in place of every sealed text.
    """
    if isinstance(content, str):
        if not content.startswith(SEALED):
            return content
        sealed = content.encode("utf-8", "surrogatepass")
        return {word: "sha256:" + hashlib.sha256(sealed).hexdigest()}
    if isinstance(content, dict):
        if _stands_for_text(content, "sealed"):
            return {word: content["sealed"]}
        return {name: without_sealed(one, word) for name, one in content.items()}
    if isinstance(content, (list, tuple)):
        return [without_sealed(one, word) for one in content]
    return content


def _stands_for_text(content: Line, word: str) -> bool:
    value = content.get(word)
    return len(content) == 1 and isinstance(value, str) and value.startswith("sha256:")


def lacks_text(content: Any) -> bool:
    """
    Tell whether a text was purged out of content: `{"erased": "sha256:..."}` stands in it.
    """
    if isinstance(content, dict):
        return _stands_for_text(content, "erased") or any(map(lacks_text, content.values()))
    return isinstance(content, (list, tuple)) and any(map(lacks_text, content))


def digest_of(salt: str, content: Any) -> str:
    """
    Give the digest of content; the salt, in hexadecimal, keeps anybody from guessing what is gone.
    """
    return hashlib.sha256(bytes.fromhex(salt) + canonical(content)).hexdigest()


def hash_of(agency: str, line: Line, previous: str, place: int | None = None) -> str:
    """
    Give the hash of a record at its place, or at another, after the hash *previous*.
    """
    at = line["place"] if place is None else place
    names = [line["kind"], line["id"], line["host_id"], line["number"], line["digest"]]
    return hashlib.sha256(canonical([agency, at, *names, previous])).hexdigest()


@dataclass
class Fault:
    """
    The first fault: its kind, the place where it shows (0: beside the log), and what it is in
    words.
    """

    kind: str
    place: int
    text: str

    def __str__(self) -> str:
        """
        Say it in one line.
        """
        return f"{self.kind}{f' at place {self.place}' if self.place else ''}: {self.text}"


@dataclass
class Counts:
    """
    What was seen: records, those whose content was compared, and those whose content is not here.
    """

    records: int = 0
    compared: int = 0
    withheld: int = 0
    erased: int = 0
    texts_gone: int = 0
    anchors: list[int] = field(default_factory=list)


class _Unexplained:
    """
    Records without their content that no entry has named yet: on disk where they are many.
    """

    def __init__(self) -> None:
        self._base = sqlite3.connect("")
        self._base.execute("CREATE TABLE u (id TEXT, whole INT, place INT, UNIQUE (id, place))")

    def add(self, record_id: str, place: int, *, whole: bool) -> None:
        """
        Add a record: all of its content is gone, or a text.
        """
        self._base.execute("INSERT OR IGNORE INTO u VALUES (?, ?, ?)", (record_id, whole, place))

    def explain(self, ids: list[str], place: int, *, whole: bool) -> None:
        """
        Take out those that an entry at a later place names.
        """
        query = "DELETE FROM u WHERE id = ? AND whole <= ? AND place < ?"
        self._base.executemany(query, [(one, whole, place) for one in ids])

    def first(self) -> tuple[str, int] | None:
        """
        Give the first that nothing explains, and forget the rest.
        """
        found = self._base.execute("SELECT id, place FROM u ORDER BY place LIMIT 1").fetchone()
        self._base.close()
        return None if found is None else (found[0], found[1])


class Check:
    """
    Check the lines of one log as they come, with the memory of a few.

    Give every line to `read`, entries that name what is gone to `explain` where they are not among
    the lines, and end with `finish`.
    """

    def __init__(self, anchors: dict[int, str] | None = None) -> None:
        self.counts = Counts()
        self.agency = ""
        self.first = 1
        self.head = (0, GENESIS)
        self._anchors = dict(anchors or {})
        self._lasts: deque[tuple[int, str]] = deque(maxlen=LOOK_BACK)
        self._unexplained = _Unexplained()
        self._has_header = self._has_end = False
        self._suspect: _Suspect | None = None
        self._fault: Fault | None = None

    @property
    def is_settled(self) -> bool:
        """
        Tell whether further lines cannot change what is said.
        """
        return self._fault is not None

    def read(self, line: Line) -> None:
        """
        Take the next line.

        Raises:
            ValueError: the first line is no header of such an export.
        """
        if not self._has_header:
            self._begin(line)
        elif self._fault is not None:
            pass
        elif self._suspect is not None:
            self._fault = self._suspect.settle(line)
        elif self._has_end:
            self._say("insertion", "lines stand behind the end of the log")
        elif "incomplete" in line:
            self._say("truncation", "the export broke off here: export again")
        elif "end" in line:
            self._end(line["end"])
        elif not _is_link(line):
            self._say("alteration", "the line is no record of a log")
        else:
            self._link(line)

    def explain(self, content: Any, place: int) -> None:
        """
        Take an entry of the audit trail that may name what was purged or erased before it.
        """
        if not isinstance(content, dict) or content.get("act") not in NAMING_ACTS:
            return
        detail = content.get("detail")
        ids = detail.get("records") if isinstance(detail, dict) else None
        if isinstance(detail, dict) and isinstance(ids, list):
            named = [one for one in ids if isinstance(one, str)]
            whole = content["act"] == "erased" or detail.get("what") == "whole"
            self._unexplained.explain(named, place, whole=whole)

    def broken_line(self, text: str) -> None:
        """
        Take a line that is no JSON, with what is wrong with it.
        """
        self._say("alteration", text)

    def finish(self, *, is_cut: bool = False, is_piece: bool = False) -> Fault | None:
        """
        Give the first fault, or None; *is_cut* says that the last line broke off, *is_piece* that
        the log goes on behind its end here, where anchors may be.
        """
        place = self.head[0]
        unexplained = self._unexplained.first()
        if self._fault is None and self._suspect is not None:
            self._fault = self._suspect.otherwise()
        if self._fault is None and (is_cut or not self._has_end):
            self._say("truncation", "the file ends without the end of the log: the rest is gone")
        if self._fault is None and unexplained is not None:
            text = f"what `{unexplained[0]}` says is gone, and no later entry says who erased it"
            self._fault = Fault("deletion", unexplained[1], text)
        beyond = [one for one in sorted(self._anchors) if one > place]
        if self._fault is None and beyond and not is_piece:
            text = f"the log ends here, but its head was anchored at place {beyond[0]}"
            self._say("truncation", text)
        return self._fault

    def not_reached(self) -> list[int]:
        """
        Give the places of anchors that lie before the first record of a piece.
        """
        return [one for one in sorted(self._anchors) if one < self.first - 1]

    def _begin(self, line: Line) -> None:
        is_header = line.get("log") == FORM and _is_place(line.get("from"))
        if not (
            is_header and isinstance(line.get("agency"), str) and _is_hash(line.get("previous"))
        ):
            raise ValueError(f"the first line is no header of a `{FORM}` export")
        self._has_header = True
        self.agency, self.first = line["agency"], line["from"]
        self.head = (self.first - 1, line["previous"])
        if self.first == 1 and line["previous"] != GENESIS:
            self._say("alteration", "the header names a record before the first")
        self._anchored()

    def _link(self, line: Line) -> None:
        place, previous = self.head
        expected = place + 1
        if line["place"] != expected or hash_of(self.agency, line, previous) != line["hash"]:
            self._suspect = _Suspect(self.agency, self.head, tuple(self._lasts), line)
            self._fault = self._suspect.at_once()
            return
        self._lasts.append(self.head)
        self.head = (expected, line["hash"])
        self.counts.records += 1
        self._anchored()
        if self._fault is None:
            self._content(line)

    def _anchored(self) -> None:
        place, found = self.head
        wanted = self._anchors.get(place)
        if wanted is None:
            return
        if wanted != found:
            text = "all records join, but the head here is not the one that was anchored: the log"
            self._say("rewrite", f"{text} was rewritten at this place or before", place)
        self.counts.anchors.append(place)

    def _content(self, line: Line) -> None:
        content, why = line.get("content"), line.get("why")
        if content is None:
            if why == "withheld":
                self.counts.withheld += 1
            elif why == "erased":
                self.counts.erased += 1
                self._unexplained.add(line["id"], line["place"], whole=True)
            elif why == "changed":
                self._say_changed(line)
            else:
                self._say("deletion", f"the {_named(line)} is not there any more", line["place"])
            return
        if not _is_salt(line.get("salt")) or digest_of(line["salt"], content) != line["digest"]:
            self._say_changed(line)
            return
        self.counts.compared += 1
        if lacks_text(content):
            self.counts.texts_gone += 1
            self._unexplained.add(line["id"], line["place"], whole=False)
        if line["kind"] == "audit":
            self.explain(content, line["place"])

    def _say_changed(self, line: Line) -> None:
        self._say("alteration", f"the content of the {_named(line)} was changed", line["place"])

    def _end(self, end: Any) -> None:
        self._has_end = True
        place, found = self.head
        if not isinstance(end, dict) or not _is_place(end.get("place"), least=0):
            self._say("alteration", "the last line is no end of a log")
        elif end["place"] > place:
            text = f"the log ends at place {end['place']}, but its records end here"
            self._say("truncation", text)
        elif end["place"] < place:
            text = f"records stand behind place {end['place']}, at which the log ends"
            self._say("insertion", text, end["place"] + 1)
        elif end.get("hash") != found:
            self._say("alteration", "the end of the log does not name the hash of its last record")

    def _say(self, kind: str, text: str, place: int | None = None) -> None:
        if self._fault is None:
            self._fault = Fault(kind, self.head[0] + 1 if place is None else place, text)


class _Suspect:
    """
    A record that does not join to the one before it: later lines say what was done.
    """

    def __init__(
        self, agency: str, last: tuple[int, str], lasts: tuple[tuple[int, str], ...], line: Line
    ) -> None:
        self._agency = agency
        self._place, self._previous = last[0] + 1, last[1]
        self._lasts, self._line = lasts, line
        self._seen = 0
        self._is_genuine = False  # the suspect itself is found to be a record of another place
        self._original: int | None = None  # how many lines later the record of this place stands
        self._following: Line | None = None
        self._at_place = line["place"] == self._place

    def at_once(self) -> Fault | None:
        """
        Give the fault where it needs no later line.
        """
        if not self._at_place and self._joins(self._line, self._place, self._previous):
            text = f"the place of the {_named(self._line)} was changed to {self._line['place']}"
            return Fault("alteration", self._place, text)
        for place, previous in reversed(self._lasts):
            # It joins to an earlier one: what stands between was put in.
            if self._joins(self._line, place + 1, previous):
                text = "a record was put in here: the one behind it joins to the one before it"
                return Fault("insertion", place + 1, text)
        if self._line["place"] < self._place:
            text = f"a record of place {self._line['place']} stands behind place {self._place - 1}"
            return Fault("insertion", self._line["place"], text)
        return None

    def settle(self, line: Line) -> Fault | None:
        """
        Look at a later line; gives the fault as soon as it is sure.
        """
        if not _is_link(line):
            return None
        self._seen += 1
        here = self._place + self._seen
        first = self._line
        if self._seen == 1:
            self._following = line
        if self._joins(line, self._place, self._previous):
            # The record that belongs here stands later: either this one was put in, or both moved.
            self._original = self._seen
            self._is_genuine |= self._joins(first, self._place + 1, line["hash"])
        for place in (here, here + 1):
            self._is_genuine |= self._joins(first, place, line["hash"])
        if not self._at_place:
            self._is_genuine |= self._joins(first, first["place"], line["hash"])
        if self._original and self._is_genuine:
            return self._moved()
        if not self._at_place and line["place"] == self._place:
            return self._moved()
        return None

    def otherwise(self) -> Fault:
        """
        Say what it is when the lines end.
        """
        place, line, following = self._place, self._line, self._following
        if self._original:
            return Fault("insertion", place, "a record was put in here that the log never had")
        if not self._at_place:
            through = line["place"] - 1
            gone = f"place {place} is" if through == place else f"places {place} to {through} are"
            return Fault("deletion", place, f"{gone} missing")
        if following is not None and self._joins(following, place + 2, line["hash"]):
            return Fault("deletion", place, "a record is missing, and the later ones got its place")
        text = f"the {_named(line)} does not join to the one before it: one of the two was changed"
        return Fault("alteration", place, text)

    def _moved(self) -> Fault:
        text = "records do not stand in their order: the one of this place stands later"
        return Fault("reordering", self._place, text)

    def _joins(self, line: Line, place: int, previous: str) -> bool:
        return bool(hash_of(self._agency, line, previous, place) == line["hash"])


def _is_link(line: Line) -> bool:
    texts = (line.get(name) for name in ("kind", "id", "host_id"))
    return bool(
        _is_place(line.get("place"))
        and _is_place(line.get("number"), least=0)
        and all(isinstance(one, str) for one in texts)
        and _is_hash(line.get("digest"))
        and _is_hash(line.get("hash"))
    )


def _is_place(value: Any, least: int = 1) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and bool(value >= least)


def _is_hash(value: Any) -> bool:
    return isinstance(value, str) and len(value) == 64 and set(value) <= set("0123456789abcdef")


def _is_salt(value: Any) -> bool:
    return isinstance(value, str) and len(value) == 32 and set(value) <= set("0123456789abcdef")


def _named(line: Line) -> str:
    return f"record `{line['id']}` ({line['kind']})"


def read_anchor(text: str) -> tuple[int, str]:
    """
    Read `PLACE:HASH`.

    >>> read_anchor("7:" + "a" * 64)[0]
    7
    """
    place, _, found = text.strip().partition(":")
    if not (place.isascii() and place.isdigit() and len(place) < 19 and _is_hash(found.lower())):
        raise ValueError(f"`{text[:100]}` is no anchor: give PLACE:HASH, as it was printed")
    return int(place), found.lower()


def _unique(pairs: list[tuple[str, Any]]) -> Line:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return made


def verify_file(file: IO[bytes], check: Check) -> Fault | None:
    """
    Check an export line by line.

    Raises:
        ValueError: it is no export of a log.
        OSError: it cannot be read.
    """
    number = 0
    for line in _lines(file):
        number += 1
        try:
            read = json.loads(line, object_pairs_hook=_unique)
        except (ValueError, RecursionError) as error:
            if number == 1:
                raise ValueError(f"the first line is no header of a `{FORM}` export") from error
            if not line.endswith(b"\n"):
                return check.finish(is_cut=True)
            check.broken_line(f"line {number} is not readable: it was changed")
            break
        check.read(read if isinstance(read, dict) else {})
        if check.is_settled:
            break
    if number == 0:
        raise ValueError("the file is empty")
    return check.finish()


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    while line := file.readline(LINE_BYTES_MAX):
        yield line


def said(check: Check) -> list[str]:
    """
    Say in plain words what was checked, and what was not.
    """
    counts, (through, head) = check.counts, check.head
    join = "record joins" if counts.records == 1 else "records join"
    have = "has its content" if counts.compared == 1 else "have their content"
    lines = [
        f"Places {check.first} to {through} of the log of `{check.agency}`: {counts.records:,}"
        f" {join} without a gap; {counts.compared:,} {have}, unchanged.",
        f"Head: {through}:{head}",
    ]
    if counts.anchors:
        places = ", ".join(map(str, counts.anchors))
        lines.append(f"The head is the one that was anchored at place {places}.")
    if counts.erased or counts.texts_gone:
        lines.append(
            f"Erased whole: {counts.erased:,}; a text was purged from {counts.texts_gone:,}."
            " For each a later entry of the log says so."
        )
    lines.append("Not checked:")
    if not counts.anchors:
        lines.append(
            "- whether the whole log was rewritten, or its newest records cut off: that shows only"
            " against a head kept elsewhere (--anchor PLACE:HASH)"
        )
    elif counts.anchors[-1] < through:
        lines.append(f"- whether records behind place {counts.anchors[-1]} were rewritten")
    if check.first > 1:
        lines.append(f"- what stands before place {check.first}: this is a piece of the log")
    lines += [
        f"- the anchor at place {one}: this piece begins later" for one in check.not_reached()
    ]
    if counts.withheld:
        records = "1 record" if counts.withheld == 1 else f"{counts.withheld:,} records"
        lines.append(f"- the content of {records}, which was withheld from you")
    lines.append("- whether what was recorded is true, and texts about a person, which never leave")
    return lines


def main(words: list[str] | None = None) -> int:
    """
    Check the file that is named, and say what was found.
    """
    parser = argparse.ArgumentParser(description="Verify an export of a log of decisions.")
    parser.add_argument("file", help="the export, or - for the standard input")
    parser.add_argument("--anchor", action="append", default=[], metavar="PLACE:HASH")
    asked = parser.parse_args(words)
    try:
        check = Check(dict(map(read_anchor, asked.anchor)))
        if asked.file == "-":
            fault = verify_file(sys.stdin.buffer, check)
        else:
            with open(asked.file, "rb") as file:  # noqa: PTH123  # one file, few imports
                fault = verify_file(file, check)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"cannot be verified: {error}\n")
        return 2
    if fault is not None:
        sys.stdout.write(f"FAULT: {fault}\n")
        return 1
    sys.stdout.write("GOOD\n" + "\n".join(said(check)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
