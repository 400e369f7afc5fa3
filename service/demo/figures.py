"""
The figures of the demo: who was recommended, beside how the calls were closed, and how little it
says.

Plain text, at most 96 characters wide. It must not say more than the calls and answers hold.
"""

import textwrap
from collections import Counter
from collections.abc import Iterable, Sequence

from service.demo.answers import Replayed

WIDTH_CHARACTERS = 96
ROWS_MAX = 10
CLOSED_AS_MAX = 5

POLICE = frozenset({"law_enforcement", "co_responder"})

LIMITS = (
    """Nobody was asked anything. Every fact that the type does not tell was unknown, so an answer
    is where a call-taker starts, not where the call ends.""",
    """A call without a behavioural-health part would never be sent to this router in real life.
    What it recommends for a parked car means nothing.""",
    """How police closed a call is what they wrote down. It is neither what the person needed nor
    who should have come.""",
    """The dates have no hour: opening hours, and who is free, were taken as they are now. At
    another time of day the answers may differ.""",
    """Lists of call types drift: names come and go, and old calls carry new names. A type that the
    router does not know reads as nothing, with a warning.""",
)


def report(replayed: Sequence[Replayed]) -> str:
    """
    Write what was recommended, how it compares with how the calls were closed, and how little it
    says.
    """
    if not replayed:
        return "No call was replayed.\n"
    touching = [one for one in replayed if one.call.touches_behavioural_health]
    others = [one for one in replayed if not one.call.touches_behavioural_health]
    lines = [
        *_summary(replayed),
        *_heading("Who was recommended, from the opening type alone"),
        *_group("Opened as a behavioural-health type", touching),
        "",
        *_group("All other calls, which nobody would send to this router in real life", others),
        *_heading("Beside how the call was closed"),
        *_closed(replayed),
        *_heading("How little this says"),
        *_limits(replayed),
    ]
    return "\n".join(lines) + "\n"


def _summary(replayed: Sequence[Replayed]) -> list[str]:
    """
    Say the whole in a few sentences.
    """
    total = len(replayed)
    dates = sorted(one.call.incident_date for one in replayed)
    said = [one.said_by_type for one in replayed if one.said_by_type]
    petty = sum(facts == {("crime", "nonviolent")} for facts in said)
    return _prose(
        f"The router was told how {_calls(total)} of Seattle's police ({dates[0]} to {dates[-1]}) "
        f"opened, and nothing else; from the type of {len(said):,} ({_share(len(said), total)}) it "
        f"could read anything at all, and from {petty:,} of these only that a nonviolent "
        f"offence is reported: a call type alone says little. "
        f"{sum(one.asks_first for one in replayed):,} answers asked a question first, and "
        f"{sum(one.is_provisional for one in replayed):,} were provisional."
    )


def _group(title: str, replayed: Sequence[Replayed]) -> list[str]:
    """
    Show who was recommended for a group of calls, most frequent first, then the same by CAD
    priority.
    """
    lines = [f"{title}: {_calls(len(replayed))}"]
    if not replayed:
        return lines
    order = _most_frequent(one.responders for one in replayed)
    priorities = sorted({one.call.priority for one in replayed})
    sums, by_priority = [], []
    for responders, count in order[:ROWS_MAX]:
        these = [one for one in replayed if one.responders == responders]
        sums.append(
            (
                responders,
                f"{count:,}",
                _share(count, len(replayed)),
                f"{sum(one.is_provisional for one in these):,}",
                f"{sum(one.asks_first for one in these):,}",
            )
        )
        counts = Counter(one.call.priority for one in these)
        by_priority.append((responders, *(f"{counts[priority]:,}" for priority in priorities)))
    lines += ["", *_table(("Recommended", "Calls", "Share", "Provisional", "Asked first"), sums)]
    left = order[ROWS_MAX:]
    if left:
        lines.append(f"and {len(left)} rarer answers, for {_calls(sum(n for _, n in left))}")
    head = ("By CAD priority (1 is the most urgent)", *(str(number) for number in priorities))
    return [*lines, "", *_table(head, by_priority)]


def _closed(replayed: Sequence[Replayed]) -> list[str]:
    """
    Set the recommendations beside the closing types.
    """
    closed = [one for one in replayed if one.call.closed_as_crisis]
    opened = [one for one in closed if one.call.opened_as_crisis]
    missed = [one for one in closed if not one.call.opened_as_crisis]
    text = f"Closed as a crisis, suicide, mental or behavioural type: {_calls(len(closed))}."
    if closed:
        text += f" {len(opened):,} of them ({_share(len(opened), len(closed))}) had opened as one."
    if missed:
        types = _most_frequent(one.call.initial_call_type for one in missed)[:CLOSED_AS_MAX]
        text += " The others opened, most often, as "
        text += "; ".join(f"{name} ({count:,})" for name, count in types) + "."
    lines = _prose(text)
    if closed:
        early = Counter(one.responders for one in opened)
        late = Counter(one.responders for one in missed)
        rows = [
            (responders, f"{early[responders]:,}", f"{late[responders]:,}")
            for responders, _ in _most_frequent(one.responders for one in closed)
        ]
        head = ("Recommended, of those closed as a crisis", "Opened as one", "Opened otherwise")
        lines += ["", *_table(head, rows)]
    police = [one for one in replayed if POLICE.intersection(one.kinds)]
    lines += ["", f"Police or a co-responder recommended: {_calls(len(police))}."]
    if police:
        types = _most_frequent(one.call.final_call_type for one in police)
        rows = [(name, f"{n:,}", _share(n, len(police))) for name, n in types[:CLOSED_AS_MAX]]
        lines += ["", *_table(("What these were closed as, most often", "Calls", "Share"), rows)]
    return lines


def _limits(replayed: Sequence[Replayed]) -> list[str]:
    """
    Say what these figures cannot show.
    """
    areas = sorted({one.call.area for one in replayed if one.call.area})
    limits = list(LIMITS)
    if areas:
        limits.insert(1, f"These calls are from {', '.join(areas)}, not from a whole city.")
    warnings = _most_frequent(text for one in replayed for text in one.warnings)
    if warnings:
        warned = sum(bool(one.warnings) for one in replayed)
        limits.append(
            f"{warned:,} answers carried a warning, most often: {warnings[0][0]} "
            f"({warnings[0][1]:,})."
        )
    return [line for limit in limits for line in _prose(limit, bullet="- ")]


def _most_frequent(names: Iterable[str]) -> list[tuple[str, int]]:
    """
    Count *names*, most frequent first, the same count in the order of the alphabet.
    """
    return sorted(Counter(names).items(), key=lambda pair: (-pair[1], pair[0]))


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    """
    Align *rows* under *head*: the first column to the left, numbers to the right.
    """
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    widths[0] = min(widths[0], WIDTH_CHARACTERS - sum(width + 2 for width in widths[1:]))
    lines = []
    for row in (head, tuple("-" * width for width in widths), *rows):
        first = row[0] if len(row[0]) <= widths[0] else row[0][: widths[0] - 1] + "…"
        cells = [first.ljust(widths[0])]
        cells += [text.rjust(width) for text, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  ".join(cells).rstrip())
    return lines


def _heading(text: str) -> list[str]:
    return ["", "", text, "=" * len(text), ""]


def _prose(text: str, *, bullet: str = "") -> list[str]:
    """
    Break *text* into lines, those after a bullet set in.
    """
    return textwrap.wrap(
        " ".join(text.split()),
        WIDTH_CHARACTERS,
        initial_indent=bullet,
        subsequent_indent=" " * len(bullet),
        break_on_hyphens=False,
    )


def _calls(count: int) -> str:
    return f"{count:,} call" if count == 1 else f"{count:,} calls"


def _share(part: int, whole: int) -> str:
    """
    Give a share in percent; a few never read as none, nor almost all as all.
    """
    percent = 100 * part / whole
    if 0 < percent < 1:
        return "<1 %"
    if 99 < percent < 100:
        return ">99 %"
    return f"{percent:.0f} %"
