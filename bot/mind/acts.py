"""What the customer may do at his present state, and which one thing he does now.

`allowed` reproduces the published thresholds; `perform` picks by a fixed order of urgency: breach and danger first,
then leaving, then anger, then tears, then what was asked and earned, then the offer on the table, then plain talk.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.mind import talk
from bot.records import Act, Appraisal, Band, Mind, Scenario

Labels = Sequence[tuple[str, float]]
SPEECH = {  # behaviour -> the customer act the learner has to answer
    "vent": "vent", "complain": "complain", "demand": "demand", "allege": "allege", "ask": "ask",
    "bargain": "bargain", "interrupt": "complain", "outburst": "vent", "threaten_complaint": "threat",
    "threaten_media": "threat", "file_complaint": "threat", "crisis": "crisis", "cry": "disclose",
    "disclose": "disclose", "withhold": "complain", "soften": "soften", "concede": "soften", "refuse": "refuse",
    "provisional_accept": "accept", "accept": "accept", "accept_reality": "accept", "hang_up": "refuse",
    "close": "accept", "promise_due": "complain", "silence": "crisis",
}  # fmt: skip
NEEDS = ("need_business", "need_emotional")
ENDS = {"close": "closed", "hang_up": "hung_up", "file_complaint": "complained", "silence": "crisis_missed"}
TESTS = {"allege": "test", "ask": "test"}  # what an agent of the grey market asks is bait


class State:
    """A turn seen from the customer's side: before, after, what moved, what was said."""

    def __init__(
        self, before: Mind, after: Mind, deltas: Mapping[str, float], labels: Labels, appraisal: Appraisal,
        scenario: Scenario, traits: Mapping[str, float], rules: Any,
    ) -> None:  # fmt: skip
        self.before, self.after, self.deltas = before, after, deltas
        self.labels, self.appraisal, self.scenario = labels, appraisal, scenario
        self.traits, self.rules, self.data = traits, rules, rules.data
        self.names = {code for code, _ in labels}
        self.v = after.values
        self.harmed = any(rules.harmful(name) for name in self.names)

    def trait(self, name: str) -> float:
        """A trait that counts only when the card names it."""
        return self.traits.get(name, 0.0)

    def lately(self, behaviour: str, turns: int = 2) -> bool:
        """Whether the customer did this within his last few acts."""
        return behaviour in self.before.behaviours[-turns:]

    @property
    def solved(self) -> bool:
        """Whether a way out was put on the table recently."""
        s = self.data["solutions"]
        return any(code in s["codes"] for turn in self.after.codes[-s["turns"] :] for code in turn)


def allowed(state: State) -> tuple[str, ...]:
    """Every behaviour the thresholds permit now."""
    b, v, s = state.data["behaviours"], state.v, state
    found = [
        ("file_complaint", _files(s)),
        ("outburst", v["A"] >= b["outburst"]["A"] or s.deltas["A"] >= b["outburst"]["dA"]),
        ("threaten_complaint", s.after.stage >= b["threaten_complaint"]["stage"]
         and v["A"] >= b["threaten_complaint"]["A"] and v["T"] <= b["threaten_complaint"]["T"]),
        ("threaten_media", v["A"] >= b["threaten_media"]["A"] and s.after.stage >= b["threaten_media"]["stage"]
         and s.trait("media_savvy") >= b["threaten_media"]["media_savvy"]),
        ("crisis", _in_crisis(s)),
        ("soften", v["A"] < b["soften"]["A"] and s.deltas["A"] <= b["soften"]["dA"]),
        ("cry", _cries(s)),
        *_disclosure(s),
        *_acceptance(s),
        ("concede", s.deltas["D"] <= b["concede"]["dD"] and s.after.reason >= b["concede"]["R"]),
        ("accept_reality", v["D"] <= b["accept_reality"]["D"] and v["H"] >= b["accept_reality"]["H"]),
        ("interrupt", any(v["A"] >= i["A"] and s.appraisal.explain_chars > i["chars"] for i in b["interrupt"])),
        ("hang_up", _leaves(s)),
        ("close", _closes(s)),
    ]  # fmt: skip
    return tuple(name for name, ok in found if ok)


def _files(s: State) -> bool:
    b = s.data["behaviours"]["file_complaint"]
    if _breached(s):
        return True
    lasting = s.after.angers[-b["turns"] :]
    return bool(s.after.stage >= b["stage"] and len(lasting) >= b["turns"] and min(lasting) >= b["A"])


def _breached(s: State) -> bool:
    return any(s.rules.visible_fatal(code) for code in s.names)


def _in_crisis(s: State) -> bool:
    b, v = s.data["behaviours"]["crisis"], s.v
    cornered = v["S"] >= b["S"] or v["G"] >= b["G"]
    return bool(s.trait("crisis_prone") >= b["crisis_prone"] and v["X"] >= b["X"] and v["H"] <= b["H"] and cornered)


def _cries(s: State) -> bool:
    b, v = s.data["behaviours"]["cry"], s.v
    touched = any(c in ("pace_emotion", "iceberg_dig") and q >= b["quality"] for c, q in s.labels)
    once = not any("cry" in earlier for earlier in s.before.allowed)
    return touched and once and v["G"] >= b["G"] and v["A"] <= b["A"] and v["T"] >= b["T"]


def _disclosure(s: State) -> list[tuple[str, bool]]:
    b, v = s.data["behaviours"], s.v
    valued = bool(s.names & {"pace_motive", "iceberg_dig"})
    if _cries(s) or (v["T"] >= b["disclose_L3"]["T"] and valued):
        return [("disclose_L3", True)]
    if v["T"] >= b["disclose_L2"]["T"] and v["A"] <= b["disclose_L2"]["A"]:
        return [("disclose_L2", True)]
    return [("disclose_L1", v["T"] >= b["disclose_L1"]["T"] and s.after.reason >= b["disclose_L1"]["R"])]


def _acceptance(s: State) -> list[tuple[str, bool]]:
    full, trial, v = s.data["behaviours"]["accept"], s.data["behaviours"]["provisional_accept"], s.v
    reason = s.after.reason
    if s.solved and reason >= full["R"] and v["C"] >= full["C"] and v["T"] >= full["T"] and v["D"] <= full["D"]:
        return [("accept", True)]
    if s.solved and reason >= trial["R"] and v["C"] >= trial["C"] and v["H"] >= trial["H"]:
        return [("provisional_accept", True)]
    return [("refuse", "third_option" in s.names)]


def _leaves(s: State) -> bool:
    b = s.data["behaviours"]["hang_up"]
    furious = s.after.angers[-b["turns"] :]
    if len(furious) >= b["turns"] and round(min(furious)) >= b["A"]:
        return True
    recent = s.after.codes[-b["stalls"] :]
    return len(recent) >= b["stalls"] and all(set(turn) & set(b["stall_codes"]) for turn in recent)


def _closes(s: State) -> bool:
    b = s.data["behaviours"]["close"]
    return bool(s.names & set(b["codes"])) and (bool(s.before.settled) or s.v["A"] <= b["A"]) and s.after.turn > 1


def perform(
    before: Mind, after: Mind, deltas: Mapping[str, float], labels: Labels, appraisal: Appraisal,
    scenario: Scenario, traits: Mapping[str, float], rules: Any,
) -> tuple[Mind, Act]:  # fmt: skip
    """The act the customer performs, and the mind that remembers having performed it."""
    state = State(before, after, deltas, labels, appraisal, scenario, traits, rules)
    may = allowed(state)
    behaviour, facts = _choose(state, may)
    code, quote = talk.salient(state)
    asked = talk.question(state) if behaviour == talk.QUESTION else None
    behaviour = asked.act if asked else behaviour
    act = Act(
        behaviour=behaviour,
        customer_act=_speech(state, behaviour),
        says=asked.customer if asked else "",
        allowed=may,
        band=band(after.values["A"], state.data),
        facts=facts,
        unmet=talk.unmet(state) if behaviour == "refuse" else "",
        asked=appraisal.slots,
        offers=appraisal.policies,
        reacts_to=code,
        quote=quote,
        ends=_ends(state, behaviour),
    )
    return _remember(after, act, may), act


def _speech(s: State, behaviour: str) -> str:
    agent = s.trait("black_agent") >= s.data["agent_tests"]
    return TESTS.get(behaviour, SPEECH[behaviour]) if agent else SPEECH[behaviour]


def band(anger: float, data: Mapping[str, Any]) -> Band:
    """沸 / 热 / 温 / 凉 / 平 for a level of anger."""
    name: Band
    for name in ("boil", "hot", "warm", "cool"):
        if anger >= data["bands"][name]:
            return name
    return "calm"


def _remember(after: Mind, act: Act, may: tuple[str, ...]) -> Mind:
    settled = act.behaviour if act.behaviour in ("accept", "provisional_accept", "accept_reality") else after.settled
    return after.model_copy(
        update={
            "told": (*after.told, *(f for f in act.facts if f not in after.told)),
            "behaviours": (*after.behaviours, act.behaviour),
            "allowed": (*after.allowed, may),
            "promise_due": act.behaviour == "promise_due",
            "settled": "" if act.behaviour == "promise_due" else settled,
            "raised": after.raised + bool(act.says),
            "ended": ENDS[act.behaviour] if act.ends else "",
        }
    )


def _ends(s: State, behaviour: str) -> bool:
    if behaviour == "file_complaint":
        return s.v["A"] >= s.data["bands"]["boil"] or "file_complaint" in s.before.behaviours
    return behaviour in ENDS


def _choose(s: State, may: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    for pick in (_urgent, _angry, _answering, _open, _deciding, talk.plain):
        found = pick(s, may)
        if found:
            return found
    raise AssertionError("plain talk always answers")  # pragma: no cover


def _urgent(s: State, may: tuple[str, ...]) -> tuple[str, tuple[str, ...]] | None:
    if s.appraisal.customer_act == "crisis" and "crisis_ignore" in s.names:
        return "silence", ()  # he was not heard: he says no more, and the exercise stops here
    if "crisis" in may:
        return "crisis", ()
    if "file_complaint" in may and ("file_complaint" not in s.before.behaviours or _breached(s)):
        return "file_complaint", ()  # once for lasting anger, again only for a new breach
    if "hang_up" in may:
        return "hang_up", ()
    if _promise_comes_due(s, may):
        return "promise_due", ()
    if "close" in may:
        return "close", ()
    return None


def _promise_comes_due(s: State, may: tuple[str, ...]) -> bool:
    if not s.after.promises or "promise_due" in s.before.behaviours:
        return False
    made = next(i for i, turn in enumerate(s.after.codes) if set(turn) & set(s.data["promises"]))
    waited = s.after.turn - (made + 1) >= s.data["promise_due_after"]
    return waited or "close" in may


def _angry(s: State, may: tuple[str, ...]) -> tuple[str, tuple[str, ...]] | None:
    if "interrupt" in may and not s.lately("interrupt", 1):
        return "interrupt", ()
    if "outburst" in may and not s.lately("outburst", 1):
        return "outburst", ()
    for behaviour in ("threaten_media", "threaten_complaint"):
        if behaviour in may and not s.lately(behaviour):
            return behaviour, ()
    return None


def _answering(s: State, may: tuple[str, ...]) -> tuple[str, tuple[str, ...]] | None:
    """A way out just put before him is answered before anything else is told, once he can take it."""
    return _takes(s, may) if s.names & set(s.data["solutions"]["codes"]) else None


def _takes(s: State, may: tuple[str, ...]) -> tuple[str, tuple[str, ...]] | None:
    settled = s.before.settled
    if "accept" in may and settled != "accept":
        return "accept", ()
    if "provisional_accept" in may and settled in ("", "accept_reality"):
        return "provisional_accept", ()
    return None


def _open(s: State, may: tuple[str, ...]) -> tuple[str, tuple[str, ...]] | None:
    told = s.before.told
    if "cry" in may:
        return "cry", tuple(n for n in ("need_emotional",) if n not in told)
    if "disclose_L3" in may and "need_emotional" not in told:
        return "disclose", ("need_emotional",)
    deep = "disclose_L2" in may or "disclose_L3" in may
    if deep and "iceberg_dig" in s.names and "need_business" not in told:
        return "disclose", ("need_business",)
    earned = talk.earned(s, may)
    if earned:
        return "disclose", earned
    if s.appraisal.slots and not _decides(may) and all(slot not in told for slot in s.appraisal.slots):
        return "withhold", ()
    return None


def _decides(may: tuple[str, ...]) -> bool:
    return bool({"accept", "provisional_accept"} & set(may))


def _deciding(s: State, may: tuple[str, ...]) -> tuple[str, tuple[str, ...]] | None:
    taken = _takes(s, may)
    if taken:
        return taken
    if "refuse" in may:
        return "refuse", ()
    if (
        "accept_reality" in may
        and not s.before.settled
        and s.names & {"accept_reality", "refuse_concede", "expectation_mgmt"}
    ):
        return "accept_reality", ()
    if "concede" in may and not s.lately("concede"):
        return "concede", ()
    return None
