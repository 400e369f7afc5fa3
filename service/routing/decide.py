"""
The heart: decide one call.

signals -> facts -> rules -> who is needed -> who can come -> answer. A pure function of its
arguments: the same call, ruleset, availability and day give the same answer, for ever. It raises on
no call.

>>> from service.rulesets import load_config
>>> config = load_config()
>>> call = Call(CallFacts.of(config.vocabulary, {"caller": "self", "suicide": "ideation"}))
>>> sorted(decide(call, config.router("national-baseline"), {}, date(2026, 1, 1)).kinds)
['988']
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from service.routing.availability import Choice
from service.routing.facts import CallFacts, Vocabulary
from service.routing.going import Goings
from service.routing.matcher import Fired, Matcher
from service.routing.needed import urgency_of
from service.routing.note import write_note
from service.routing.questions import (
    QUESTIONS_MAX,
    Question,
    Swings,
    mildest_changes,
    to_ask,
    try_answers,
)
from service.routing.recommendation import (
    Call,
    PoliceReason,
    Recommendation,
    Responder,
    Warned,
)
from service.routing.rules import IN_PERSON, POLICE, Rule, Source
from service.routing.signals import Signal
from service.routing.ways import Ways, any_holds, way_of
from service.routing.weighing import strongest, weigh


@dataclass(frozen=True, slots=True, repr=False)
class Router:
    """
    Everything that `decide` reads besides the call: a compiled ruleset and the table of ways.
    """

    matcher: Matcher
    ways: Ways
    remembered: dict[frozenset[str], Goings] = field(default_factory=dict, compare=False)

    def __repr__(self) -> str:
        """
        Name it; its content is long.
        """
        return f"Router({self.matcher!r})"

    @property
    def vocabulary(self) -> Vocabulary:
        """
        Give the vocabulary that the ruleset was compiled against.
        """
        return self.matcher.vocabulary

    def goings(self, available: Mapping[str, bool]) -> Goings:
        """
        Give who goes for whichever rules hold, with what is stated of each kind.
        """
        out = frozenset(kind for kind, free in available.items() if free is False)
        found = self.remembered.get(out)
        if found is None:
            found = self.remembered.setdefault(out, Goings(self.matcher, out))
        return found


def decide(call: Call, router: Router, available: Mapping[str, bool], day: date) -> Recommendation:
    """
    Recommend who should answer a call, and say why.

    Args:
        call: Facts told, signals, and what was taken back.
        router: The ruleset in force, compiled.
        available: What is stated of each kind right now; a kind not named counts as available.
        day: The day of the call where the agency is, for rules with dates.

    Never raises, and never recommends nobody. An answer that broke an invariant is replaced by the
    floor.
    """
    facts, signals = _weighed(call, router)
    matcher, goings = router.matcher, router.goings(available)
    standing = matcher.standing(facts, day)
    fired, going = matcher.fired(standing.rows), goings.of(matcher.who_key(standing.rows))
    choice = going.choice
    signalled = strongest(router.vocabulary, call.signals, call.dismissed)
    swings = try_answers(matcher, facts, standing, goings=goings, signalled=signalled)
    # What a remark says that nobody knows is asked all the same: nobody answered a question yet.
    still_open = CallFacts(facts.known, call.facts.asked)
    asked, could_change = to_ask(fired, still_open, swings, router.vocabulary)
    questions = asked[:QUESTIONS_MAX]
    ems_first = any_holds(router.ways.ems_first, router.vocabulary, facts)
    responders = _responders(router, facts, fired, choice.kinds, ems_first=ems_first)
    notify = tuple(dict.fromkeys(name for rule in fired.hazards for name in rule.notify))
    recommendation = Recommendation(
        urgency=urgency_of(fired, tuple(router.vocabulary.urgencies)),
        responders=responders,
        send_now=_send_now(responders, swings, {question.fact for question in asked}),
        notify=notify,
        preferred=in_order(going.needed.kinds, (), ems_first=ems_first),
        fallback=choice.fallback,
        is_provisional=could_change,
        rules=(*fired.hazards, fired.need),
        police_because=_police_because(fired, choice),
        questions=questions,
        changes=mildest_changes(swings, router.vocabulary),
        signals=signals,
        note=write_note(
            router.vocabulary,
            facts,
            call.withheld,
            responders,
            said_when_unknown=router.ways.said_when_unknown,
            notify=notify,
        ),
        warnings=_warnings(choice, available, responders),
        known=facts.known,
    )
    return (
        recommendation
        if keeps_invariants(recommendation)
        else floor(call, router.vocabulary, router.ways)
    )


def kinds_of(
    call: Call, router: Router, available: Mapping[str, bool], day: date
) -> frozenset[str]:
    """
    Give only who goes, the kinds of `decide`, without its reasons and questions: many times faster,
    for deciding thousands of calls again.
    """
    facts, _ = _weighed(call, router)
    rows = router.matcher.match(facts, day)
    return router.goings(available).of(router.matcher.who_key(rows)).kinds


def _weighed(call: Call, router: Router) -> tuple[CallFacts, tuple[Signal, ...]]:
    fills = router.matcher.ruleset.absent_fills
    return weigh(router.vocabulary, call.facts, call.signals, call.dismissed, fills)


def _responders(
    router: Router, facts: CallFacts, fired: Fired, kinds: frozenset[str], *, ems_first: bool
) -> tuple[Responder, ...]:
    ways = {kind: way_of(router.ways, router.vocabulary, facts, kind, kinds) for kind in kinds}
    staged = tuple(kind for kind, way in ways.items() if way == "stage")
    ems_needs = tuple(dict.fromkeys(need for rule in fired.hazards for need in rule.ems_needs))
    return tuple(
        Responder(kind, ways[kind], ems_needs if kind == "ems" else ())
        for kind in in_order(kinds, staged, ems_first=ems_first)
    )


# The order to act in: who saves a life first, then who makes it safe, then who helps, then who
# talks.
ACT_ORDER = ("ems", "law_enforcement", "co_responder", "mobile_crisis", "988", "warm_line")


def in_order(kinds: frozenset[str], staged: tuple[str, ...], *, ems_first: bool) -> tuple[str, ...]:
    """
    Put kinds into the order to act in. Who waits nearby comes after who makes it safe, but with
    *ems_first* EMS always comes first: somebody is not breathing or cannot be woken.
    """

    def place(kind: str) -> tuple[bool, int]:
        waits = kind in staged and bool(kinds & POLICE - {kind})
        return waits and not (kind == "ems" and ems_first), ACT_ORDER.index(kind)

    return tuple(sorted(kinds, key=place))


def _send_now(
    responders: tuple[Responder, ...], swings: Swings, asked: set[str]
) -> tuple[str, ...]:
    """
    Give whom to set going whatever is still unanswered: EMS and police, and a team unless an open
    question could leave a line by itself.
    """
    may_be_line_only = any(name in swings and swings[name].may_be_line_only for name in asked)
    going = POLICE | {"ems"} if may_be_line_only else IN_PERSON
    return tuple(one.kind for one in responders if one.kind in going)


def _police_because(fired: Fired, choice: Choice) -> tuple[PoliceReason, ...]:
    """
    Say why police are in the answer: INVARIANT (police-only-for-a-reason), checked in
    keeps_invariants.
    """
    if not choice.kinds & POLICE:
        return ()
    reasons = [PoliceReason(rule.why, rule=rule.id) for rule in fired.hazards if rule.brings_police]
    if choice.fallback and POLICE & set(choice.fallback.got):
        wanted = choice.fallback.wanted
        text = f"{wanted.replace('_', ' ')} was wanted and cannot come: stated unavailable"
        reasons.append(PoliceReason(text, fallback=wanted))
    return tuple(reasons)


def _warnings(
    choice: Choice, available: Mapping[str, bool], responders: tuple[Responder, ...]
) -> tuple[Warned, ...]:
    warned = [
        Warned(
            "kind_unavailable",
            f"{kind.replace('_', ' ')} is wanted beside the others and cannot come",
        )
        for kind in choice.missing
    ]
    if choice.is_last_resort:
        text = "nobody who was wanted can come: 911 stays on the line, with EMS"
        warned.append(Warned("last_resort", text))
    if "ems" in choice.kinds and available.get("ems") is False:
        text = "EMS is stated unavailable and stays in the answer: find the nearest by mutual aid"
        warned.append(Warned("ems_unavailable", text))
    waits = any(one.kind == "ems" and one.how == "stage" for one in responders)
    if waits and not choice.kinds & (IN_PERSON - {"ems"}):
        text = (
            "EMS waits nearby and nobody is sent who could give word: ask about weapon and violence"
        )
        warned.append(Warned("ems_waits", text))
    return tuple(warned)


def keeps_invariants(recommendation: Recommendation) -> bool:
    """
    Check at run time what the shapes of rules give by construction: somebody answers, and police
    have a reason.

    INVARIANT (somebody-always-answers), INVARIANT (police-only-for-a-reason).
    """
    police = recommendation.kinds & POLICE
    return bool(recommendation.responders) and (not police or bool(recommendation.police_because))


FLOOR_WHY = "No rules could be applied, so somebody stays with the caller and medical help is sent."
FLOOR_SOURCE = Source("The first promise of this service: somebody always comes or answers")


def floor(call: Call, vocabulary: Vocabulary, ways: Ways) -> Recommendation:
    """
    Answer with no ruleset at all: 911 stays on the line, with EMS and the first questions.

    EMS stages where the table of ways says so, as it would under any ruleset.
    """
    from_nothing = Rule("floor", "needs", ((),), FLOOR_WHY, FLOOR_SOURCE)
    asked = tuple(
        Question(name, frozenset())
        for name in ways.first_questions
        if name in vocabulary.facts and call.facts.is_open(name)
    )
    ems = frozenset(("ems",))
    responders = (Responder("ems", way_of(ways, vocabulary, call.facts, "ems", ems)),)
    return Recommendation(
        urgency="urgent",
        responders=responders,
        send_now=("ems",),
        notify=("supervisor",),
        preferred=("ems",),
        fallback=None,
        is_provisional=True,
        rules=(from_nothing,),
        police_because=(),
        questions=asked,
        changes=(),
        signals=tuple(
            one._replace(used=False, why="no ruleset is in force") for one in call.signals
        ),
        note=write_note(
            vocabulary,
            call.facts,
            call.withheld,
            responders,
            said_when_unknown=ways.said_when_unknown,
            notify=("supervisor",),
        ),
        mode="floor",
        warnings=(Warned("floor", "no rules could be applied: 911 stays on the line, with EMS"),),
        known=call.facts.known,
    )
