"""What makes a sentence belong to one customer: his numbers, his words, his name; and the feeling he did not name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from bot.appraisal.segments import Said, Span, fold
from bot.records import Context

_DIGITS = "零一二三四五六七八九"
_UNITS = {"十": 10, "百": 100, "千": 1000, "万": 10000}
NUMBER = re.compile(
    r"\d[\d,，]*(?:\.\d+)?(?:万|千|百|%)?|[零一二两三四五六七八九十百千万半几]+(?=[个天次趟回通遍年月日号点块元千百期份户样张件条桩分口周笔岁成种人岁头])"
    r"|[零一二两三四五六七八九十百千万]{2,}"
)
_TIME = re.compile(
    r"(?:周|星期|礼拜)[一二三四五六日天]|\d+[点号日月年天]|[一二三四五六七八九十]+[点号月]|上午|下午|半夜|夜里|凌晨|月底|月初|去年|今年|前年|上周|上个?月"
)
_STOP = set(
    "的了是我您他们这那就都也还不没有在说到要会能把给让被和跟与吗呢吧啊呀一个什么怎样来去上下里为因所以但可很太再又才只别对着过多少点些么"
    "哪谁如果着呗哦嗯先后前现当时候今天知道觉想看问行好请真正"
)
_COMMON = {
    "银行", "贷款", "还款", "客户", "电话", "事情", "问题", "办法", "时间", "解决", "处理", "投诉", "利息", "你们", "自己",
    "情况", "先生", "女士", "征信", "材料", "方案",
}  # fmt: skip
FEELINGS = re.compile(
    r"委屈|寒心|憋屈|窝火|窝囊|丢脸|没面子|下不来台|难堪|害怕|心慌|发慌|焦虑|绝望|无助|失望|心酸|难受|来气|不甘|冤|煎熬|崩溃|堵|咽不下"
    r"|屈辱|羞|抬不起头|喘不[过上]气|没底|不踏实|怕|慌|苦|沉|累|没人信|脸|清白|体面|尊严|名声|孤"
)


@dataclass(frozen=True)
class Known:
    """What the learner had to go on: the customer's words, numbers anyone may know, the customer's names."""

    words: str
    numbers: frozenset[float]
    names: tuple[str, ...]

    @property
    def empty(self) -> bool:
        """Whether nothing of the customer is known."""
        return not self.words


def known(context: Context) -> Known:
    """Everything said by the customer so far plus the profile the bank's system shows."""
    lines = [line.text for line in context.history if line.role == "customer"][-8:]
    if context.customer and context.customer not in lines:
        lines.append(context.customer)
    profile, names = "", []
    if context.scenario is not None:
        p = context.scenario.profile
        profile = f"{p.job}，{p.product}，{p.balance}元，逾期{p.overdue_days}天"
        names = [
            p.name,
            *(p.name[0] + title for title in ("师傅", "女士", "先生", "社长", "老师", "姐", "哥", "总", "老板")),
        ]
    words = fold("。".join((*lines, *context.told, profile)))
    return Known(words, frozenset(numbers(words)), tuple(names))


def numbers(text: str) -> list[float]:
    """Every quantity in a text as a number, written in digits or in Chinese."""
    return [value for m in NUMBER.finditer(text) if (value := number(m.group())) is not None]


@lru_cache(maxsize=2048)
def number(word: str) -> float | None:
    """One written quantity as a number; None when it is none."""
    word = word.rstrip("%").replace(",", "").replace("，", "")
    scale = 1
    while word and word[-1] in _UNITS and word[0].isdigit():
        scale, word = scale * _UNITS[word[-1]], word[:-1]
    try:
        return float(word) * scale
    except ValueError:
        return _chinese(word)


def _chinese(word: str) -> float | None:
    total, section, digit = 0, 0, 0
    for ch in word.replace("两", "二"):
        if ch in _DIGITS:
            digit = _DIGITS.index(ch)
        elif ch == "万":
            total, section, digit = (section + digit or 1) * 10000, 0, 0
        elif ch in _UNITS:
            section, digit = section + (digit or 1) * _UNITS[ch], 0
        else:
            return None
    return float(total + section + digit)


def echoes(text: str, heard: Known) -> list[Span]:
    """Stretches of folded text that repeat the customer: his words (2+ telling characters) and his numbers."""
    found, i = [], 0
    pairs = _pairs(heard.words)
    while i < len(text) - 1:
        if text[i : i + 2] not in pairs:
            i += 1
            continue
        end = i + 2
        while end < len(text) and text[i : end + 1] in heard.words and end - i < 24:
            end += 1
        if _telling(text[i:end]):
            found.append(Span(i, end))
        i = end if _telling(text[i:end]) else i + 1
    taken = list(found)
    for match in NUMBER.finditer(text):
        span, value = Span(*match.span()), number(match.group())
        if value in heard.numbers and not any(span.overlaps(t) for t in taken):
            found.append(span)
    return sorted(found, key=lambda s: s.start)


@lru_cache(maxsize=64)
def _pairs(words: str) -> frozenset[str]:
    return frozenset(words[i : i + 2] for i in range(len(words) - 1))


def _telling(chunk: str) -> bool:
    letters = [ch for ch in chunk if ch.isalnum() and ch not in _STOP]
    return len(letters) >= 2 and chunk not in _COMMON


def concrete(text: str, heard: Known) -> int:
    """How many details of a sentence could not be said to just anyone."""
    places = echoes(text, heard)
    own = [m for m in NUMBER.finditer(text) if not any(p.start <= m.start() < p.end for p in places)]
    times = [m for m in _TIME.finditer(text) if not any(p.start <= m.start() < p.end for p in places)]
    return len(places) + len({m.group() for m in own}) + len(times) + sum(name in text for name in heard.names)


def unsaid_feeling(text: str, heard: Known) -> bool:
    """Whether a sentence names a feeling the customer has not put into words."""
    return any(m.group() not in heard.words for m in FEELINGS.finditer(text))


def around(said: Said, span: Span) -> str:
    """The sentence of a span, and the words up to its end when it runs on."""
    first, last = said.sentence_at(span.start), said.sentence_at(max(span.start, span.end - 1))
    return said.plain[first.start : max(last.end, span.end)]
