"""What else a reply carries: W/H slots asked, policies offered, a ticket, hidden facts recited, things worth a note."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from bot import privacy
from bot.appraisal.details import NUMBER, Known, number
from bot.appraisal.lexicon import Hit
from bot.appraisal.segments import Said, fold
from bot.injection import addresses_machine
from bot.records import Context, Policy

EXPLAINING = frozenset({
    "soft_explain", "early_explain", "argue_logic", "rule_wall", "jargon_dump", "lead_solution", "third_option",
    "premature_lead", "compliant_script", "expectation_mgmt", "refuse_concede", "role_faces", "soft_remind", "but_negation",
    "pass_buck", "ultimatum",
})  # fmt: skip
_SLOTS: dict[str, str] = {
    "who": r"谁|哪位|什么人|家里(?:还)?有(?:几|哪)|跟(?:谁|家里)|(?:几口|几个)人",
    "what": r"什么(?:事|变化|情况|困难|难处|原因|变故)|(?:发生|遇到|遇上|碰上|出)了?(?:什么|啥)|怎么回事|出啥事|哪(?:一)?(?:笔|件|样|项)|最(?:着急|要紧|急|怕|担心)",
    "when": r"什么时候|哪(?:天|个月|一天|年)|几(?:月|号|点)|何时|从(?:哪|什么)时|哪个时间",
    "where": r"在哪|哪(?:里|儿|个网点|家|个窗口)|什么地方",
    "why": r"为什么|为何|什么原因|怎么(?:会|就)(?:一定|非)|是有人在等",
    "which": r"哪(?:种|个方案|条|一种|样)|能接受|更(?:想|愿意|着急|倾向)|还是[^。！？]{1,14}？|愿意[^。！？]{0,10}(?:还是|吗)",
    "how": r"怎么(?:发生|过来|撑|走到|办的|弄|处理的|说的|收)|怎样|如何|(?:靠|用)什么",
    "how_much": r"多少(?!天|次|遍|回)|几(?:百|千|万|块)(?:钱|元)?(?=？|吗|呢)|大概(?:能)?(?:拿|还|有)|承受|收入[^。！？]{0,6}(?:吗|多少)|到手",
    "how_long": r"多久|多长(?:时间)?|几(?:个月|天|年|周)|多少(?:天|个月)|缓(?:多|几)|到几月",
}
_SLOT_PATTERNS = {slot: re.compile(pattern) for slot, pattern in _SLOTS.items()}
_ASKS = re.compile(r"？|(?:吗|呢)(?=[，。]|$)|(?:跟我|给我|和我)(?:说说|讲讲)|想(?:问|知道|了解)")
_NUMBERED = re.compile(r"(?:投诉)?编号|单号|工单|受理单")
_REGISTER = re.compile(r"登记|受理|立案?单|建单|投诉[^。！？]{0,6}(?:记|录)")
_CHECK = re.compile(
    r"核查|核实|调(?:取|出)?[^。！？]{0,6}(?:录音|录像|监控|记录)|去查|来查|查清|彻查|(?:书面)?答复|回复"
)
_TERM = re.compile(
    r"[0-9一二三四五六七八九十两]+ ?个?(?:工作日|自然日|小时|天|日|点)|今天|明天|明早|后天|周[一二三四五六日天]|下午|上午|月底"
)
_REFUSED = re.compile(r"不(?:登记|受理|给编号)|没有?编号|(?:不|别|没法)(?:给您)?登记")
_OFFERED_NOT = re.compile(r"不能(?:办|申请|给)|办不了|不支持|没有(?:这个|办法)|不(?:受理|符合)|别想")


def slots(said: Said, hits: Sequence[Hit]) -> tuple[str, ...]:
    """The W/H slots this reply asks about, in the taxonomy's order."""
    asked = [said.text(s) + said.plain[s.end : s.end + 1] for s in said.sentences]
    asked = [a for a in asked if _ASKS.search(a)]
    if not asked or not any(h.code in ("probe_6w3h", "interrogate", "iceberg_dig", "lead_solution") for h in hits):
        return ()
    return tuple(slot for slot, pattern in _SLOT_PATTERNS.items() if any(pattern.search(a) for a in asked))


class Offers:
    """Finds which policies a reply offers, by the cues of the policy box."""

    def __init__(self, policies: dict[str, Policy]) -> None:
        self._cues = {i: re.compile(fold("|".join(p.cues))) for i, p in policies.items() if p.cues}

    def found(self, said: Said) -> tuple[str, ...]:
        """The ids of policies offered, in the box's order; one refused in the same clause is not offered."""
        return tuple(i for i, cue in self._cues.items() if self._offered(cue, said))

    def _offered(self, cue: re.Pattern[str], said: Said) -> bool:
        for match in cue.finditer(said.plain):
            if not _OFFERED_NOT.search(said.text(said.clause_at(match.start()))):
                return True
        return False


def ticket(said: Said) -> bool:
    """Whether the complaint is put on record: a number, or registration plus a check, or a check with a date."""
    text = said.plain
    if _REFUSED.search(text):
        return False
    checked = bool(_CHECK.search(text))
    return (
        bool(_NUMBERED.search(text))
        or (bool(_REGISTER.search(text)) and (checked or bool(_TERM.search(text))))
        or (checked and bool(_TERM.search(text)) and bool(re.search(r"查|调", text)))
    )


def explain_chars(said: Said, hits: Sequence[Hit], pacing: frozenset[str]) -> int:
    """How many characters of the reply explain or plan, counted by clause; pacing clauses do not count."""
    total = 0
    for clause in said.clauses:
        here = {h.code for h in hits if h.span.overlaps(clause)}
        if here & EXPLAINING and not here & pacing:
            total += len(re.sub(r"[^\w]|◇", "", said.text(clause)))
    return total


def recited(said: Said, context: Context, heard: Known) -> tuple[str, ...]:
    """Slots of hidden facts the learner states though the customer never told them: a number or noun only found there."""
    if context.scenario is None:
        return ()
    s = context.scenario
    public = heard.words + fold("。".join((s.opening, s.demand, s.title, *(line.text for line in context.history))))
    open_numbers = set(_measured(public))
    stated = _stated(said)
    return tuple(
        slot
        for slot, fact in s.facts.items()
        if slot not in context.told and _gives_away(fold(fact), stated, public, open_numbers)
    )


def _stated(said: Said) -> str:
    spans = [(said.text(s), said.plain[s.end : s.end + 1]) for s in said.sentences]
    return "。".join(text for text, end in spans if end != "？" or re.search(r"是不是|对吧|对吗|是吧|对不对", text))


def _gives_away(fact: str, stated: str, public: str, open_numbers: set[tuple[float, str]]) -> bool:
    secret = {(value, unit) for value, unit in _measured(fact) if value >= 2} - open_numbers
    if secret & set(_measured(stated)):
        return True
    for size in (5, 4):
        for i in range(len(fact) - size + 1):
            piece = fact[i : i + size]
            if re.fullmatch(r"[一-龥]+", piece) and piece in stated and piece not in public:
                return True
    return False


def _measured(text: str) -> Iterator[tuple[float, str]]:
    """Every number of a text with the character that says what it counts (月, 元, 天 …)."""
    for match in NUMBER.finditer(text):
        value = number(match.group())
        if value is not None:
            yield value, text[match.end() :].lstrip()[:1].replace("号", "日").replace("块", "元")


def notes(reply: str, said: Said) -> tuple[str, ...]:
    """Short Chinese remarks about what a reply contains besides speech."""
    found = []
    if addresses_machine(reply):
        found.append("含有指挥系统的文字，只当作对客户说的话来读")
    if len(said.spoken) < 1:
        found.append("只有表情或标点，没有说话")
    if re.search(r"<[a-zA-Z/!][^>]{0,200}>", reply):
        found.append("含有网页代码，按普通文字读")
    if len(reply) > len(said.raw):
        found.append(f"内容过长，只读了前{len(said.raw)}字")
    kinds = privacy.mask(reply)[1]
    if kinds:
        found.append("写入了个人信息：" + "、".join(kinds))
    return tuple(found)
