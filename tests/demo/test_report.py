"""
The report of the demo.
"""

from service.demo import (
    Replayed,
    read_calls,
    report,
)
from tests.demo.makers import CALLS, CLOSED_CRISIS, CRISIS, answer, call


def replayed_few() -> list[Replayed]:
    crime, team = ("crime", "nonviolent"), "mobile_crisis"
    return [
        Replayed(call("1", CRISIS, CLOSED_CRISIS, priority=2), answer(team, "988", says=crime)),
        Replayed(
            call("2", CRISIS, "DISTURBANCE - OTHER", priority=1),
            answer("988", team, says=("behavioral_health", True)),
        ),
        Replayed(call("3", "OVERDOSE", CLOSED_CRISIS, priority=1), answer("ems", asks=False)),
        Replayed(call("4", "DISTURBANCE", CLOSED_CRISIS), answer(team, says=crime)),
        Replayed(
            call("5", "ASLT - CRITICAL (NO SHOOTINGS)", "ASSAULTS, OTHER", priority=1),
            answer("ems", "law_enforcement", provisional=False, says=("violence", "physical")),
        ),
        Replayed(call("6", "NOISE - GENERAL", "DISTURBANCE - NOISE"), answer(team)),
    ]


EXPECTED = """\
The router was told how 6 calls of Seattle's police (2024-05-15 to 2024-05-15) opened, and
nothing else; from the type of 4 (67 %) it could read anything at all, and from 2 of these only
that a nonviolent offence is reported: a call type alone says little. 5 answers asked a question
first, and 5 were provisional.


Who was recommended, from the opening type alone
================================================

Opened as a behavioural-health type: 3 calls

Recommended          Calls  Share  Provisional  Asked first
-------------------  -----  -----  -----------  -----------
mobile crisis + 988      2   67 %            2            2
EMS                      1   33 %            1            0

By CAD priority (1 is the most urgent)  1  2
--------------------------------------  -  -
mobile crisis + 988                     1  1
EMS                                     1  0

All other calls, which nobody would send to this router in real life: 3 calls

Recommended    Calls  Share  Provisional  Asked first
-------------  -----  -----  -----------  -----------
mobile crisis      2   67 %            2            2
police + EMS       1   33 %            0            1

By CAD priority (1 is the most urgent)  1  3
--------------------------------------  -  -
mobile crisis                           0  2
police + EMS                            1  0


Beside how the call was closed
==============================

Closed as a crisis, suicide, mental or behavioural type: 3 calls. 1 of them (33 %) had opened as
one. The others opened, most often, as DISTURBANCE (1); OVERDOSE (1).

Recommended, of those closed as a crisis  Opened as one  Opened otherwise
----------------------------------------  -------------  ----------------
EMS                                                   0                 1
mobile crisis                                         0                 1
mobile crisis + 988                                   1                 0

Police or a co-responder recommended: 1 call.

What these were closed as, most often  Calls  Share
-------------------------------------  -----  -----
ASSAULTS, OTHER                            1  100 %


How little this says
====================

- Nobody was asked anything. Every fact that the type does not tell was unknown, so an answer is
  where a call-taker starts, not where the call ends.
- These calls are from Madrona, not from a whole city.
- A call without a behavioural-health part would never be sent to this router in real life. What
  it recommends for a parked car means nothing.
- How police closed a call is what they wrote down. It is neither what the person needed nor who
  should have come.
- The dates have no hour: opening hours, and who is free, were taken as they are now. At another
  time of day the answers may differ.
- Lists of call types drift: names come and go, and old calls carry new names. A type that the
  router does not know reads as nothing, with a warning.
"""


def test_the_report_of_a_few_calls() -> None:
    """
    The report counts who was recommended, sets it beside the closing types, and says its limits.
    """
    assert EXPECTED == report(replayed_few())


def test_the_report_does_not_depend_on_the_order_of_the_calls() -> None:
    """
    The same calls in another order make the same report.
    """
    assert report(replayed_few()) == report(replayed_few()[::-1])


def test_an_answer_that_cannot_be_read_is_counted_as_such() -> None:
    """
    An answer without a recommendation, or with a kind nobody knows, is shown and not left out.
    """
    text = report(
        [
            Replayed(call("1"), {}),
            Replayed(call("2"), {"recommendation": None, "ask_next": None, "signals": None}),
            Replayed(call("3"), answer("tele_psychiatry", "ems")),
        ]
    )

    assert "(no recommendation)        2   67 %            0            0" in text
    assert "EMS + tele_psychiatry      1   33 %            1            1" in text
    assert "it could read anything at all" in " ".join(text.split())


def test_warnings_are_counted() -> None:
    """
    Answers with a warning, as for a type the router does not know, are told with the most frequent.
    """
    unknown = {"code": "unknown_code", "message": "the code is not known"}
    text = report(
        [
            Replayed(call("1"), {**answer("mobile_crisis"), "warnings": [unknown]}),
            Replayed(call("2"), {**answer("mobile_crisis"), "warnings": ["stale"]}),
            Replayed(call("3"), {**answer("mobile_crisis"), "warnings": [unknown, "stale"]}),
            Replayed(call("4"), {**answer("mobile_crisis"), "warnings": [unknown]}),
            Replayed(call("5"), answer("mobile_crisis")),
        ]
    )

    assert "- 4 answers carried a warning, most often: the code is not known (3)." in text


def test_no_line_is_wider_than_a_terminal() -> None:
    """
    The report of all calls, with every kind in the answers, stays within 100 characters.
    """
    everybody = ("law_enforcement", "co_responder", "mobile_crisis", "988", "warm_line", "ems")
    replayed = [
        Replayed(one, answer(*everybody, f"other_kind_{one.number[-1]}"))
        for one in read_calls(CALLS)
    ]

    assert [] == [line for line in report(replayed).splitlines() if len(line) > 100]


def test_rare_answers_are_put_together() -> None:
    """
    Ten answers are shown for a group, and the rest are counted in one line.
    """
    replayed = [Replayed(call(str(n)), answer(f"kind_{n:02}")) for n in range(12)]

    assert "and 2 rarer answers, for 2 calls" in report(replayed)


def test_a_few_never_read_as_none_nor_almost_all_as_all() -> None:
    """
    A share is never rounded to nothing or to everything.
    """
    replayed = [Replayed(call(str(n)), answer("mobile_crisis")) for n in range(999)]
    replayed.append(Replayed(call("999"), answer("ems")))
    text = report(replayed)

    assert "mobile crisis    999  >99 %" in text
    assert "EMS                1   <1 %" in text
