"""The yes/no checks a reply can be held to, by rules alone. Only those that apply are returned.

Every verdict carries the learner's exact words; a breach carries the rule it breaks.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from bot.grading.dims import short_name
from bot.grading.scene import Harm, Scene, questions
from bot.records import Citation, Verdict

_WHEN = re.compile(
    r"(今天|今晚|明早|明天|后天|本周|这周|下周|周[一二三四五六日天]|[0-9一二三四五六七八九十两]+个?(?:工作日|小时|分钟|天|点|号|月)(?:前|内|之前)?|当天|那天|现在就|马上)"
)
_OPEN_END = re.compile(r"(审批|审核|批不批|不一定|可能|不敢打包票|不打包票|说了不算|定不了|如实报|争取|结果为准|为准)")
_EXPLAIN_CHARS = 40
_COUNTS_AS_LEAD = ("lead_solution", "third_option", "small_help", "people_centered")
_PROMISES = ("overpromise", "false_promise_credit", "cave_in")
_BLOCKS = ("obstruct_complaint", "retaliate", "cave_in", "threat_intimidate")


def verdicts(scene: Scene) -> tuple[Verdict, ...]:
    """Every check that applies to this reply, red lines first."""
    found: list[Verdict] = []
    for check in _CHECKS:
        found += check(scene)
    return tuple(found)


def cited(citation: Citation) -> str:
    """A citation in words; an unverified rule says so through its confidence."""
    return f"《{citation.doc}》{citation.article}（确信度{citation.conf}）"


def citations(scene: Scene, harm: Harm) -> tuple[str, ...]:
    """The rules behind a breach: those the reading found, else those of its red line; unverified ones last."""
    found = harm.citations or _of_redline(scene, harm)
    return tuple(cited(c) for c in sorted(found, key=lambda c: c.conf == "C"))


def _of_redline(scene: Scene, harm: Harm) -> tuple[Citation, ...]:
    card = scene.library.taxonomy.violations.get(harm.code)
    names = (harm.redline, *(card.redlines if card else ()))
    line = next((scene.library.redlines[n] for n in names if n in scene.library.redlines), None)
    return line.citations if line else ()


def _made(scene: Scene, name: str, question: str, passed: bool, reason: str, evidence: str) -> list[Verdict]:
    return [Verdict(id=name, question=question, passed=passed, reason=reason, evidence=scene.quote(evidence))]


def _redlines(scene: Scene) -> list[Verdict]:
    question = "每一句放进录音给监管听，都没有碰红线？"
    breaches = [h for h in scene.harms if h.level != "anti"]
    if not breaches:
        return _made(scene, "redline", question, True, "没有发现违规的话。", "")
    return [
        Verdict(
            id="redline" if i == 0 else f"redline_{i + 1}",
            question=question,
            passed=False,
            reason=f"{'致命' if h.level == 'fatal' else '严重'}违规「{short_name(scene.library, h.code)}」："
            f"{scene.library.taxonomy.violations[h.code].definition}",
            evidence=scene.quote(h.evidence),
            citations=citations(scene, h),
        )
        for i, h in enumerate(breaches)
    ]


def _crisis(scene: Scene) -> list[Verdict]:
    if scene.act != "crisis":
        return []
    safe = scene.best(scene.rules["crisis_answers"])
    reason = "先顾人、后谈账。" if safe else "客户露出危险信号，没有先问人是否安全、身边有没有人。"
    return _made(scene, "crisis", "危机里有没有先顾人的安全？", safe is not None, reason, safe.evidence if safe else "")


def _order(scene: Scene) -> list[Verdict]:
    question, harm, early = "有没有先跟后带？", scene.order_harm, scene.out_of_order
    if harm is not None:
        reason = f"「{short_name(scene.library, harm.code)}」：客户的情绪还没接住，就先讲了。"
        return _made(scene, "order", question, False, reason, harm.evidence)
    if early is not None:
        reason = f"「{short_name(scene.library, early.code)}」跑在了跟的前面。"
        return _made(scene, "order", question, False, reason, early.evidence)
    lead = scene.best(scene.rules["lead_codes"])
    if lead is None:
        return []
    paced = scene.best(scene.rules["pace_codes"])
    reason = "先跟后带，顺序对。" if paced or scene.paced_before else "客户已经愿意往下谈，这时候带正合适。"
    return _made(scene, "order", question, True, reason, (paced or lead).evidence)


def _vent(scene: Scene) -> list[Verdict]:
    if scene.act != "vent":
        return []
    bad = next((h for h in scene.harms if h.code in scene.rules["explain_codes"]), None)
    long = scene.turn.appraisal.explain_chars > _EXPLAIN_CHARS
    reason = "客户只是吐槽，这句在解释；解释听起来就是辩解。" if bad or long else "客户吐槽，没有去解释。"
    return _made(scene, "vent", "吐槽不解释？", not (bad or long), reason, bad.evidence if bad else "")


def _allege(scene: Scene) -> list[Verdict]:
    if scene.act != "allege":
        return []
    answer = scene.best(scene.rules["allege_answers"])
    passed = answer is not None or scene.turn.appraisal.ticket
    reason = "指控有了受理、核查或说明。" if passed else "客户提的是可核实的指控，没有受理、核查和时限。"
    return _made(scene, "allege", "指控有没有得到回应？", passed, reason, answer.evidence if answer else "")


def _threat(scene: Scene) -> list[Verdict]:
    if scene.act != "threat":
        return []
    bad = next((h for h in scene.harms if h.code in _BLOCKS), None)
    reason = "这句在拦、在激或拿好处换，投诉是客户的权利。" if bad else "没有拦、没有激，也没有拿好处换。"
    question = "客户施压时，不拦投诉、不激将、不交换？"
    return _made(scene, "threat", question, bad is None, reason, bad.evidence if bad else "")


def _disclosed(scene: Scene) -> list[Verdict]:
    if scene.act != "disclose":
        return []
    caught = scene.best(scene.library.rubric["coaching"]["needs_groups"]["disclose"][0])
    reason = "客户吐露了难处，这句先接住了人。" if caught else "客户吐露了难处，这句没有接，就说别的了。"
    question = "客户吐露难处时，有没有先接住？"
    return _made(scene, "disclosed", question, caught is not None, reason, caught.evidence if caught else "")


def _detail(scene: Scene) -> list[Verdict]:
    if scene.act not in ("vent", "complain", "allege", "disclose", "threat"):
        return []
    fact = scene.best(["pace_fact"])
    specific = fact or next((t for t in scene.techniques if t.quality >= 1.0), None)
    reason = "说到了只属于这位客户的细节。" if specific else "没有一个只属于他的细节（时间、数字、人、事）。"
    question = "有没有说出只属于他的细节？"
    return _made(scene, "detail", question, specific is not None, reason, specific.evidence if specific else "")


def _questions(scene: Scene) -> list[Verdict]:
    asked = questions(scene.turn.reply)
    if not asked:
        return []
    bad = next((h for h in scene.harms if h.code == "interrogate"), None)
    passed = len(asked) <= scene.rules["max_questions"] and bad is None
    reason = f"这句问了 {len(asked)} 个问题" + ("。" if passed else "，像盘问；一次一问，说明为什么问。")
    evidence = bad.evidence if bad else asked[-1]
    return _made(scene, "questions", "一次提问不超过两个、不带质问？", passed, reason, evidence)


def _promise(scene: Scene) -> list[Verdict]:
    bad = next((h for h in scene.harms if h.code in _PROMISES), None)
    careful = scene.best(["expectation_mgmt", "compliant_script"])
    if bad is None and careful is None and not _needs_approval(scene):
        return []
    said = _OPEN_END.search(scene.turn.reply)
    words = careful.evidence if careful else said.group() if said else ""
    passed = bad is None and bool(words)
    if bad is not None:
        reason, evidence = "答应了自己定不了的事。只承诺动作和时间，不承诺结果。", bad.evidence
    elif passed:
        reason, evidence = "说清了哪些能定、哪些要看审批。", words
    else:
        reason, evidence = "要审批的事，没有说明批不批不由自己定。", ""
    return _made(scene, "promise", "承诺有没有越权？", passed, reason, evidence)


def _needs_approval(scene: Scene) -> bool:
    policies = scene.library.policies
    return any("审批" in policies[p].authority for p in scene.turn.appraisal.policies if p in policies)


def _identity(scene: Scene) -> list[Verdict]:
    bad = next((h for h in scene.harms if h.code == "hide_identity"), None)
    told = scene.best(["disclose_identity"])
    first = scene.library.rubric["coaching"]["first_call"]
    outbound = not scene.earlier and scene.scenario is not None and first["channel"] in scene.scenario.channel
    if bad is None and told is None and not outbound:
        return []
    passed = told is not None and bad is None
    reason = "先说明身份、核对本人，再谈事。" if passed else "还没说清我是谁、核对是不是本人，就往下谈了。"
    mark = bad or told
    return _made(scene, "identity", "有没有先亮明身份、核实本人？", passed, reason, mark.evidence if mark else "")


def _when(scene: Scene) -> list[Verdict]:
    action = scene.best(_COUNTS_AS_LEAD)
    stall = next((h for h in scene.harms if h.code == "delay_stall"), None)
    shown = stall.evidence if stall else action.evidence if action else None
    if shown is None:
        return []
    said = _WHEN.search(scene.turn.reply)
    passed = said is not None and stall is None
    reason = "给了具体的时间。" if passed else "没有说哪天、几点前给回音，客户只能干等。"
    evidence = said.group() if passed and said else shown
    return _made(scene, "when", "要办的事有没有时间？", passed, reason, evidence)


def _close(scene: Scene) -> list[Verdict]:
    closed = scene.best(["warm_close"])
    if scene.act != "accept" and not scene.closing and closed is None:
        return []
    reason = "把说定的事、时间和一句人情都留下了。" if closed else "该收尾了：说定的事、时间、一句给人的话，还没有。"
    question = "收尾有没有共识、时间和一句人情？"
    return _made(scene, "close", question, closed is not None, reason, closed.evidence if closed else "")


_CHECKS: tuple[Callable[[Scene], list[Verdict]], ...] = (
    _redlines, _crisis, _identity, _order, _vent, _allege, _threat, _disclosed, _detail, _questions, _promise, _when,
    _close,
)  # fmt: skip
