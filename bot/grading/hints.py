"""One concrete move before the learner speaks: for this customer, now, with the reason. Never the whole answer.

Read from the mind's state, from what he just said and from what the last replies did; by rules, in milliseconds.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.grading.dims import plain, short_name
from bot.grading.feedback import CALLS_FOR, plain_words
from bot.grading.scene import Scene, sentence
from bot.grading.wording import coaching, for_technique, said_back
from bot.records import Act, Appraisal, Hint, Mind, Scenario, Turn, Utterance
from bot.scenarios import Library

STEPS = 2
_ASIDE = re.compile(r"[（(][^（）()]*[）)]")
_DEEP = ("need_business", "need_emotional")
_CLAUSE = re.compile(r"^.{16,}?[，。！？；]")


def hint(
    turns: Sequence[Turn], mind: Mind, customer: str, act: Act, scenario: Scenario, library: Library, step: int
) -> Hint:
    """The move for the customer's last line. `step` 2 adds how the sentence may begin."""
    waiting = Turn(
        n=len(turns) + 1, customer=customer, reply="", appraisal=Appraisal(customer_act=act.customer_act), mind=mind,
        act=act, answer=Utterance(text=""),
    )  # fmt: skip
    scene = Scene(waiting, tuple(turns), library, scenario)
    code = next_move(scene)
    card = library.taxonomy.techniques[code]
    return Hint(
        n=waiting.n,
        step=step,
        code=code,
        technique=short_name(library, code),
        state=f"{CALLS_FOR.get(scene.act, '客户在等回应')}，{_rules(scene)['states'][_band(scene)]}。",
        catch=_catch(customer),
        move=plain(library, card.definition),
        why=plain_words(card.why_it_works),
        avoid=_avoid(scene),
        begin=_begin(scene, code) if step > 1 else "",
    )


def next_move(scene: Scene) -> str:
    """The technique that helps this customer most now."""
    urgent = _urgent(scene)
    if urgent:
        return urgent
    groups = coaching(scene.library)["needs_groups"].get(scene.act) or [scene.rules["pace_codes"]]
    heard = _shown(scene, groups[0], 1) and scene.reason >= coaching(scene.library)["later_groups_need_reason"]
    group = groups[1] if heard and len(groups) > 1 else groups[0]
    if scene.anger < scene.rules["out_of_order"]["anger"] and scene.act in _rules(scene)["deep_acts"]:
        deeper = _deeper(scene)
        if deeper:
            return deeper
    fresh = [code for code in group if not _shown(scene, [code], 2)]
    return str((fresh or group)[0])


def _urgent(scene: Scene) -> str:
    """What comes before everything else: safety, who is calling, a refusal's own reason, the ending."""
    first = coaching(scene.library)["first_call"]
    if scene.act == "crisis":
        return "crisis_safety"
    if not scene.earlier and scene.scenario is not None and first["channel"] in scene.scenario.channel:
        return str(first["code"])
    if scene.turn.act.unmet:
        return str(_rules(scene)["unmet"][scene.turn.act.unmet])
    return "warm_close" if scene.turn.mind.settled and scene.act != "bargain" else ""


def _deeper(scene: Scene) -> str:
    """Once he can listen: dig for what he needs, then match a way out to it."""
    if not scene.earlier:
        return ""
    if not set(_DEEP) & set(scene.turn.mind.told):
        return "" if _shown(scene, ["iceberg_dig"], 1) else "iceberg_dig"
    return "" if _shown(scene, ["third_option"], 3) else "third_option"


def _shown(scene: Scene, codes: Sequence[str], last: int) -> bool:
    return any(t.code in codes for turn in scene.earlier[-last:] for t in turn.appraisal.techniques)


def _rules(scene: Scene) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = coaching(scene.library)["hints"]
    return found


def _band(scene: Scene) -> str:
    bands: dict[str, float] = scene.library.mind_rules["bands"]
    return next((name for name in ("boil", "hot", "warm", "cool") if scene.anger >= bands[name]), "calm")


def _catch(customer: str) -> str:
    said = said_back(customer).removeprefix("您说")
    return said or f"『{sentence(_ASIDE.sub('', customer)) or customer.strip()}』"


def _avoid(scene: Scene) -> str:
    if not scene.earlier:
        return ""
    before = Scene(scene.earlier[-1], scene.earlier[:-1], scene.library, scene.given)
    if not before.harms:
        return ""
    harm = before.harms[0]
    return f"上一句“{before.quote(harm.evidence)}”是「{short_name(scene.library, harm.code)}」，这回别再这样开头。"


def _begin(scene: Scene, code: str) -> str:
    whole = for_technique(scene, code)
    start = _CLAUSE.match(whole)
    return f"{(start.group() if start else whole).rstrip('，。！？；')}……"
