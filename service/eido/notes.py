"""
The remarks of a call, out of a document's notes and cautions: plain text, one line after the other.

Notes are fragments of HTML. What is needed are their words, so markup is taken out in one pass and
nothing of it is interpreted; a `<` that begins no tag of HTML is a word of the call-taker and
stays. Libraries that build a tree were tried and not taken: an open tag, or `WEAPON <KNIFE`, lost
every word after it, and 200 kB of nested tags took seconds.
"""

import html
import re
from collections.abc import Mapping
from typing import Any, Final

from service.eido.document import (
    CAUTIONS,
    NOTES,
    Component,
    components,
    instant_in,
    references,
    text_in,
)
from service.eido.noticed import Noticed
from service.eido.words import EidoWords

# Tags that end a line, and those that stand within one.
_BREAKS: Final = (
    *("address", "article", "aside", "blockquote", "body", "br", "caption", "center", "dd", "div"),
    *("dl", "dt", "fieldset", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6"),
    *("head", "header", "hr", "html", "legend", "li", "main", "nav", "ol", "option", "p", "pre"),
    *("section", "table", "tbody", "td", "tfoot", "th", "thead", "title", "tr", "ul"),
)
_WITHIN: Final = (
    *("a", "abbr", "acronym", "audio", "b", "base", "big", "button", "cite", "code", "del", "dfn"),
    *("em", "embed", "font", "i", "iframe", "img", "input", "ins", "kbd", "label", "link", "mark"),
    *("math", "meta", "noscript", "object", "q", "s", "samp", "script", "select", "small", "span"),
    *("strike", "strong", "style", "sub", "sup", "svg", "textarea", "time", "tt", "u", "var"),
    "video",
)
# A tag is only one where it is closed, and what stands in it are attributes with values: words
# of a call-taker between brackets are words. Each part is tried once (`++`), so that a note costs
# no more than its length.
_TAG: Final = re.compile(
    rf"<!--[^<>]*-->|</?({'|'.join((*_BREAKS, *_WITHIN))})"
    r"""(?:\s++[^\s<>"'/=]++\s*+=\s*+(?:"[^"<>]*+"|'[^'<>]*+'|[^\s<>"']++))*+\s*+/?+>""",
    re.IGNORECASE,
)
_CODE: Final = re.compile(r"<(?:script|style)(?=[\s/>])[^<>]*>", re.IGNORECASE)
_CODE_END: Final = re.compile(r"</(?:script|style)\s*>", re.IGNORECASE)
_LONG_NUMBER: Final = re.compile(r"&#[0-9]{8,}")  # no character, and slow to read as a number
_NO_TEXT: Final = re.compile(r"[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]")
_SPACES: Final = re.compile(r"[^\S\n]+")


def plain_text(fragment: str) -> str:
    r"""
    Give the words of a fragment of HTML, one line for each that a reader would see.

    >>> plain_text("HAS <b>KNI</b>FE<br>BP &lt;90 &amp; PALE<script>x()</script>, AGE <18")
    'HAS KNIFE\nBP <90 & PALE, AGE <18'
    """
    text = _TAG.sub(_apart, _without_code(fragment))
    text = html.unescape(_LONG_NUMBER.sub(" ", text))
    text = _NO_TEXT.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n"))
    lines = (_SPACES.sub(" ", line).strip() for line in text.split("\n"))
    return "\n".join(line for line in lines if line)


def _apart(tag: re.Match[str]) -> str:
    name = tag[1]
    return "\n" if name and name.lower() in _BREAKS else ""


def _without_code(fragment: str) -> str:
    kept, at = [], 0
    while opened := _CODE.search(fragment, at):
        closed = _CODE_END.search(fragment, opened.end())
        if closed is None:
            break
        kept.append(fragment[at : opened.start()])
        at = closed.end()
    return "".join((*kept, fragment[at:]))


def remarks_of(
    document: Mapping[str, Any],
    words: EidoWords,
    agent: str,
    characters_max: int,
    noticed: Noticed,
) -> str:
    """
    Give the remarks: cautions first, then the notes in the order of time, undated ones last.

    *agent* is whom our own notes are signed by: what we wrote ourselves is no evidence. Where it is
    all too long, the oldest notes are left out.
    """
    cautions = dict.fromkeys(
        _caution(one, words, noticed) for one in components(document, CAUTIONS, noticed)
    )
    head = "\n".join(one for one in cautions if one)
    notes = _notes(document, agent, noticed)
    if len(head) > characters_max:
        noticed.add("eido_notes_cut", CAUTIONS[0])
        return head[:characters_max]
    left = characters_max - len(head)
    kept: list[str] = []
    for text in reversed(notes):
        if len(text) + 1 > left:
            noticed.add("eido_notes_cut", NOTES[0])
            # Half a note is better than none.
            kept += [text[: left - 1]] if not kept and left > 1 else []
            break
        kept.append(text)
        left -= len(text) + 1
    return "\n".join(one for one in (head, *reversed(kept)) if one)


def _notes(document: Mapping[str, Any], agent: str, noticed: Noticed) -> list[str]:
    dated: list[tuple[float, str]] = []
    undated: list[str] = []
    for one in components(document, NOTES, noticed):
        path, note = one
        value = note.get("notesActionComments")
        if not isinstance(value, str):
            noticed.add("eido_member_not_read", f"{path}.notesActionComments")
            continue
        by = (note.get("agentReference"), note.get("updatedByAgentReference"))
        text = plain_text(value)
        if not text or any(agent in references(who) for who in by):
            continue
        at = instant_in(one, "lastUpdateTimeStamp", noticed)
        if at is None:
            undated.append(text)
        else:
            dated.append((at.timestamp(), text))
    dated.sort(key=lambda pair: pair[0])
    return [*(text for _, text in dated), *undated]


def _caution(one: Component, words: EidoWords, noticed: Noticed) -> str:
    """
    Write a caution as a line, such as `WEAPON - KNIFE (Weapon, caution 4 of 5)`. A severity is a
    number here, because `high` is a word that callers say of people.
    """
    own = " ".join(plain_text(text_in(one, "cautionTypeInternalText", noticed)).split())
    common = " ".join(plain_text(text_in(one, "cautionTypeCommonRegistryText", noticed)).split())
    severity = text_in(one, "cautionSeverity", noticed).casefold()
    said = [common] if common and common.casefold() != own.casefold() and own else []
    if severity in words.severities:
        place = words.severities.index(severity) + 1
        said.append(f"caution {place} of {len(words.severities)}")
    line = own or common
    return f"{line} ({', '.join(said)})" if line and said else line
