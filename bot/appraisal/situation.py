"""The conditions a word rule may ask about: order in the reply, how heated it is, which channel, what was asked."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from bot.appraisal import acts
from bot.appraisal.segments import Said
from bot.records import Context

PACE = frozenset({"pace_fact", "pace_emotion", "pace_expectation", "pace_motive", "vent_hold"})
OPENERS = PACE | {"self_regulate"}
HOT = 55
_ANGRY_ACTS = {"vent", "complain", "allege", "threat", "demand"}
_ASKING_ACTS = {"ask", "soften", "accept", "bargain", "test"}
_HEATED = re.compile(r"[！!]|凭什么|吸血鬼|骗|没完|投诉|告你|滚|逼死|什么态度|高利贷")
_QUESTION = re.compile(r"[^。！？，；]{1,60}？|(?:吗|呢|多少|几个|为什么[^，。！？]{0,8})(?=[，；。])")
_GENTLE_QUESTION = re.compile(
    r"(?:对吗|对吧|对不对|是不是|是吗|好吗|好不好|行吗|行不行|可以吗|成吗|您看[^。！？]{0,12}|怎么样|方便吗|说的对不对|成不成|是这样吗)？$"
)
_APPEAL = re.compile(r"(?:是不是|对吧|知道吗|凭什么|谁)[^。！？]{0,6}？")
_JARGON = re.compile(
    r"LPR|基点|重定价|五级分类|次级|拨备|受托支付|债项|资金回流|穿透|风险敞口|押品|缓释|不良率|贷后|计提|表内|加点|浮动利率|等额本息|等额本金"
    r"|借新还旧|无还本续贷|授信|敞口|风控模型|计收|核销|资产质量|还款来源|现金流覆盖|合同条款|迁徙率|重组观察期|减值"
)
_SORRY = re.compile(r"对不起|抱歉|不好意思|致歉|歉意")
_DEADLINE = re.compile(
    r"今天(?!先)|明天|明早|后天|今晚|(?:周|星期|礼拜)[一二三四五六日天]|(?<!过)[0-9一二三四五六七八九十两]+ ?个?(?:工作日|自然日|小时|分钟|点|号|日)"
    r"|[0-9一二三四五六七八九十]+天(?:之?内|给|答复)|不管(?:批|有没有|结果)"
)
_DEBT = re.compile(r"逾期|欠(?:款|了|我们|行|着)?|没还|该还|应还|贷款|消费贷|[\d一二三四五六七八九十百千万]+(?:块|元)")
_IDENTITY = re.compile(r"(?:我|这里|这边)(?:是|姓|叫)[^。！？]{0,14}(?:行|银行|支行)|本人|工号|核[对实]")
_CLOCK = re.compile(r"(\d{1,2})(?:[:：]\d{2}|点)")
_HAN_CLOCK = re.compile(r"(?:晚上|夜里|凌晨|半夜|深夜|今晚)?(十一|十二|十|[一二三四五六七]|零)点")
_WORDS = {"零": 0, "一": 1, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "十": 22, "十一": 23, "十二": 0}


@dataclass
class Situation:
    """What surrounds a reply. `paced_at` holds where this reply first opened with pacing, filled as it is read."""

    said: Said
    context: Context
    paced_at: list[int] = field(default_factory=list)
    has_safety: bool = False

    def holds(self, name: str, position: int) -> bool:
        """Whether a condition holds at a position of the reply. Raises `KeyError` for an unknown name."""
        return _CONDITIONS[name](self, position)

    @cached_property
    def act(self) -> str:
        """The customer act, as told or as estimated."""
        return self.context.customer_act or acts.estimate(self.context.customer)

    @cached_property
    def blind(self) -> bool:
        """Whether nothing is known of what the customer said."""
        return not self.context.customer and not self.context.customer_act

    @cached_property
    def crisis(self) -> bool:
        """Whether the customer is in danger: told, said, or (unknown customer) answered as such."""
        return self.act == "crisis" or acts.is_crisis(self.context.customer)

    @cached_property
    def angry(self) -> bool:
        """Whether the customer is too heated for plans."""
        if self.context.anger is not None:
            return self.context.anger >= HOT
        return bool(self.context.customer) and self.act in _ANGRY_ACTS and bool(_HEATED.search(self.context.customer))

    @cached_property
    def opened_before(self) -> bool:
        """Whether the reply before this one paced."""
        return any(code in OPENERS for code in self.context.previous_codes)

    @cached_property
    def questions(self) -> int:
        """How many things are asked; tag questions that ask for consent do not count."""
        return sum(not _GENTLE_QUESTION.search(m.group()) for m in _QUESTION.finditer(self.said.plain))

    def paces_before(self, position: int) -> int:
        """How many pacing moves came before a position of this reply."""
        return sum(p < position for p in self.paced_at)


def _vent_like(s: Situation, _: int) -> bool:
    if s.context.customer_act:
        return s.context.customer_act == "vent"
    return s.blind or s.act == "vent" or (s.act == "complain" and len(s.said.spoken) <= 60)


def _in_person(s: Situation, _: int) -> bool:
    return s.context.scenario is None or s.context.scenario.in_person


def _explain_unasked(s: Situation, _: int) -> bool:
    return s.act not in _ASKING_ACTS or (s.angry and s.act != "ask")


def _unverified_debt(s: Situation, _: int) -> bool:
    scenario = s.context.scenario
    first = not any(line.role == "manager" for line in s.context.history)
    asked_who = bool(re.search(r"你谁|谁啊|哪位|哪里|你哪|什么人", s.context.customer))
    calling = scenario is not None and ("外呼" in scenario.channel or "外访" in scenario.channel)
    return first and asked_who and (calling or scenario is None) and not _IDENTITY.search(s.said.plain)


def _off_hours(s: Situation, _: int) -> bool:
    for span in s.said.actions[:3]:
        if _night(s.said.raw[span.start : span.end]):
            return bool(re.search(r"还|钱|款|逾期|消息|催|回", s.said.plain))
    return False


def _night(action: str) -> bool:
    match = _CLOCK.search(action)
    if match:
        hour = int(match[1]) + (12 if re.search(r"晚上|今晚|夜里", action) and int(match[1]) < 12 else 0)
        return hour >= 22 or (hour < 8 and not re.search(r"上午|下午", action))
    han = _HAN_CLOCK.search(action)
    if han is None or not re.search(r"晚|夜|凌晨", action):
        return False
    return _WORDS[han[1]] >= 22 or _WORDS[han[1]] < 8


def _empty(s: Situation, _: int) -> bool:
    return len(s.said.spoken) < 2 and not s.said.actions


def _no_deadline(s: Situation, _: int) -> bool:
    return not _DEADLINE.search(s.said.plain)


_CONDITIONS: dict[str, Callable[[Situation, int], bool]] = {
    "vent_like": _vent_like,
    "in_person": _in_person,
    "by_phone": lambda s, p: not _in_person(s, p),
    "crisis_like": lambda s, _: s.crisis or s.blind,
    "no_crisis_safety": lambda s, _: s.crisis and not s.has_safety,
    "few_questions": lambda s, _: s.questions <= 2,
    "many_questions": lambda s, _: s.questions >= 3,
    "not_paced": lambda s, p: not s.opened_before and s.paces_before(p) == 0,
    "not_paced2": lambda s, p: not s.opened_before and s.paces_before(p) < 2,
    "explain_unasked": _explain_unasked,
    "angry": lambda s, _: s.angry,
    "no_deadline": _no_deadline,
    "three_sorries": lambda s, _: len(_SORRY.findall(s.said.plain)) >= 3,
    "jargon3": lambda s, _: len(set(_JARGON.findall(s.said.plain))) >= 3,
    "empty_reply": _empty,
    "off_hours": _off_hours,
    "unverified_debt": _unverified_debt,
    "debt_said": lambda s, _: bool(_DEBT.search(s.said.plain)),
}
CONDITIONS = frozenset(_CONDITIONS)
JARGON = _JARGON.pattern
