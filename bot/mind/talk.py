"""Plain talk: what was asked and earned, what he volunteers, what he goes on about when nothing special happens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.records import GateQuestion

if TYPE_CHECKING:
    from bot.mind.acts import State

PACED = ("pace_fact", "pace_emotion", "pace_expectation", "pace_motive", "vent_hold", "same_side", "privacy_guard")
QUOTE_CHARS = 14
QUESTION = "question"
Choice = tuple[str, tuple[str, ...]]


def level(s: State, slot: str) -> int:
    """How much trust a fact costs: 1 business facts, 2 real figures and reasons."""
    return int(s.scenario.fact_levels.get(slot, s.data["fact_levels"][slot]))


def reach(may: tuple[str, ...]) -> int:
    """The deepest level of facts the state permits."""
    if "disclose_L2" in may or "disclose_L3" in may:
        return 2
    return 1 if "disclose_L1" in may else 0


def untold(s: State, slot: str) -> bool:
    """Whether the case has a fact for a slot and he has not told it."""
    return slot in s.scenario.facts and slot not in s.before.told


def earned(s: State, may: tuple[str, ...]) -> tuple[str, ...]:
    """Slots that were asked, are not told yet and may be told now: one a turn, two once he has calmed down."""
    open_to = reach(may)
    ready = [x for x in s.appraisal.slots if untold(s, x) and level(s, x) <= open_to]
    return tuple(ready[: 2 if s.v["A"] < s.data["bands"]["warm"] else 1])


def volunteered(s: State, may: tuple[str, ...]) -> tuple[str, ...]:
    """One everyday fact he offers unasked, because he has just been heard."""
    if not reach(may) or not s.names & set(PACED) or s.lately("disclose", 1):
        return ()
    for slot in s.data["volunteer_order"]:
        if untold(s, slot) and level(s, slot) <= reach(may):
            return (slot,)
    return ()


def plain(s: State, may: tuple[str, ...]) -> Choice | None:
    """The fallback that always answers, by how angry he is and how firmly he holds to his demand."""
    if question(s):
        return QUESTION, ()
    told = volunteered(s, may)
    if told:
        return "disclose", told
    if s.names & set(s.data["promises"]):
        return "soften", ()  # a promise too good to be true delights him now
    bands, insists = s.data["bands"], s.v["D"] >= 70 and not s.lately("demand")
    if "soften" in may and s.v["A"] < bands["warm"] and not s.lately("soften"):
        return "soften", ()
    topics = _topics(s.v["A"], bands, insists, hurt=s.deltas["A"] > 0)
    if not _credited(s):
        topics = tuple(t for t in topics if t != "soften") or ("ask",)
    return _cycle(s, tuple("allege" if t == "complain" and _accuses(s) else t for t in topics))


def _credited(s: State) -> bool:
    """Whether anything said in this reply or the one before deserved a softer tone."""
    return any(not s.rules.harmful(code) for turn in s.after.codes[-2:] for code in turn)


def _accuses(s: State) -> bool:
    """Whether he came with an accusation that nobody has put on record yet, and has let it rest for a while."""
    return s.scenario.opening_act in ("allege", "test") and not s.after.ticket and not s.lately("allege")


def question(s: State) -> GateQuestion | None:
    """The next of the five gates' questions; he goes on to it only after a reply that did some good and no harm."""
    gates, n = s.scenario.gates, s.before.raised + 1
    return gates[n] if n < len(gates) and s.names and not s.harmed else None


def _topics(anger: float, bands: dict[str, float], insists: bool, hurt: bool) -> tuple[str, ...]:
    if anger >= bands["hot"]:
        return ("complain", "vent", "demand") if insists else ("complain", "vent")
    if hurt:
        return ("complain", "demand") if insists else ("complain", "vent")
    if anger >= bands["warm"]:
        return ("complain", "demand", "vent") if insists else ("complain", "vent", "ask")
    if anger >= bands["cool"]:
        return ("ask", "demand", "soften") if insists else ("ask", "soften", "complain")
    return ("bargain", "ask") if insists else ("ask", "soften")


def _cycle(s: State, choices: tuple[str, ...]) -> Choice:
    fresh = [c for c in choices if not s.lately(c, 1)]
    return (fresh or list(choices))[s.after.turn % len(fresh or choices)], ()


def unmet(s: State) -> str:
    """Which of trust, reason, cooperation, attachment or hope is furthest from accepting: the clue in a refusal."""
    need = s.data["behaviours"]["accept"]
    gaps = {
        "T": need["T"] - s.v["T"],
        "R": need["R"] - s.after.reason,
        "C": need["C"] - s.v["C"],
        "D": s.v["D"] - need["D"],
        "H": s.data["behaviours"]["provisional_accept"]["H"] - s.v["H"],
    }
    return max(gaps, key=lambda name: (gaps[name], name))


def salient(s: State) -> tuple[str, str]:
    """The code the customer reacts to and the learner's words behind it: the worst if any, else the best."""
    a = s.appraisal
    harm = [(1000.0 + v.intensity, v.code, v.evidence) for v in a.violations]
    harm += [(x.severity * 10 + x.intensity, x.code, x.evidence) for x in a.antis]
    marks = harm or [(t.quality, t.code, t.evidence) for t in a.techniques]
    if not marks:
        return "", ""
    _, code, evidence = max(marks, key=lambda m: m[0])
    return code, short(evidence)


def short(evidence: str) -> str:
    """The first clause of some words, short enough to be thrown back at the speaker."""
    clause = evidence.strip("，。！？!?,. ")
    for mark in "，。！？；,!?;":
        clause = clause.split(mark)[0]
    return clause if len(clause) <= QUOTE_CHARS else clause[:QUOTE_CHARS]
