"""A reply cut into what was said, what was gestured and what was only quoted, with offsets into the original.

Matching happens on a *plain* copy of the same length, in which spelling variants are folded together and quoted or
gestured words are blanked, so that every span found there is a span of the learner's own text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

MAX_CHARS = 2400
MAX_EVIDENCE = 40
BLANK = "◇"
_FOLD = str.maketrans(
    '你妳她帐地作嘛?!,;:\n\r\t０１２３４５６７８９“”"「」『』',
    "您您他账的做吗？！，；：。。 0123456789『』『『』『』",
)
# 得 after a verb or in these words is often typed 的; 得 meaning "must" stays
_DE = re.compile(
    r"(?<=[觉省免怪懂值舍记显晓懒堵压说听看骂做写办卡混睡憋熬讲逼吓气急喊闹吵贷拿撑扛过受])得|(?<=[怪舍巴恨]不)得"
)
_ACTION = re.compile(r"[（(\[【][^（）()\[\]【】]{1,80}[）)\]】]")
_QUOTE = re.compile(r"『([^『』]{1,60})』")
_SAID_BEFORE = re.compile(
    r"(?:您|他|她|客户|同事|短信|上面|人家|有人|催收员?|谁|那句|这句|一句|听到|听见|写着|说|问|骂|喊|叫|念|回|讲|拿)[^，。！？『』]{0,4}$"
)
_SAID_AFTER = re.compile(r"^(?:这|那)?(?:一?句|两个字|俩字|二字|几个字|的话|这话|之类)")
_SENTENCE_END = re.compile(r"[。！？]+")
_CLAUSE_END = re.compile(r"[。！？；，：]+|……+|——+")


def fold(text: str) -> str:
    """Text with spelling variants folded together; the same length, so offsets hold."""
    return _DE.sub("的", text.translate(_FOLD))


def fold_pattern(pattern: str) -> str:
    """A pattern in the spelling of folded text; only letters change, never the pattern's own signs."""
    return _DE.sub("的", pattern.translate(str.maketrans("你妳她帐地作嘛", "您您他账的做吗")))


@dataclass(frozen=True)
class Span:
    """A stretch of the reply."""

    start: int
    end: int

    def overlaps(self, other: Span) -> bool:
        """Whether the two share a character."""
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True)
class Said:
    """A reply ready to be read. `plain` has the length of `raw`; `actions` are gestures inside brackets."""

    raw: str
    plain: str
    actions: tuple[Span, ...]
    quotes: tuple[Span, ...]

    @cached_property
    def sentences(self) -> tuple[Span, ...]:
        """Sentences in order, without their end marks."""
        return tuple(_cut(self.plain, _SENTENCE_END))

    @cached_property
    def clauses(self) -> tuple[Span, ...]:
        """Clauses in order, without their end marks."""
        return tuple(_cut(self.plain, _CLAUSE_END))

    @cached_property
    def spoken(self) -> str:
        """Only the letters and digits that were said."""
        return re.sub(r"[^\w]|◇|_", "", self.plain)

    @cached_property
    def gestures(self) -> str:
        """A text as long as the reply in which only gestures are left."""
        kept = [" "] * len(self.raw)
        folded = fold(self.raw)
        for span in self.actions:
            kept[span.start : span.end] = folded[span.start : span.end]
        return "".join(kept)

    def sentence_at(self, position: int) -> Span:
        """The sentence a position belongs to."""
        return _around(self.sentences, position, len(self.plain))

    def clause_at(self, position: int) -> Span:
        """The clause a position belongs to."""
        return _around(self.clauses, position, len(self.plain))

    def text(self, span: Span) -> str:
        """The folded words of a span."""
        return self.plain[span.start : span.end]

    def evidence(self, span: Span) -> tuple[str, int]:
        """The learner's exact words for a span, with enough around them to stand alone, and where they start."""
        start, end = span.start, span.end
        first, last = self.clause_at(start), self.clause_at(max(start, end - 1))
        if max(end, last.end) - min(start, first.start) <= MAX_EVIDENCE:
            start, end = min(start, first.start), max(end, last.end)
        elif end - start < 12:
            start, end = max(first.start, end - MAX_EVIDENCE), min(last.end, start + MAX_EVIDENCE)
        words = self.raw[start : min(end, start + MAX_EVIDENCE)]
        trimmed = words.lstrip(" \n\t，。！？；、,.!?;:：")
        start += len(words) - len(trimmed)
        return trimmed.rstrip(" \n\t，。；、,.;:："), start


def parse(reply: str, others: Iterable[str] = ()) -> Said:
    """Cut a reply. `others` are the customer's lines: words quoted from them were not said by the learner."""
    raw = reply[:MAX_CHARS]
    plain = fold(raw)
    actions = tuple(Span(m.start(), m.end()) for m in _ACTION.finditer(plain))
    quotes = tuple(_quoted(plain, [fold(o) for o in others]))
    letters = list(plain)
    for span in (*actions, *quotes):
        letters[span.start : span.end] = BLANK * (span.end - span.start)
    return Said(raw, "".join(letters).replace("『", " ").replace("』", " "), actions, quotes)


def bigrams(text: str) -> set[str]:
    """Character pairs of a text, punctuation left out."""
    plain = re.sub(r"[^\w]", "", text)
    return {plain[i : i + 2] for i in range(len(plain) - 1)}


def _quoted(plain: str, others: list[str]) -> Iterable[Span]:
    heard: set[str] = set()
    for other in others[-6:]:
        heard |= bigrams(other)
    for match in _QUOTE.finditer(plain):
        inside = bigrams(match[1])
        if len(match[1]) > 0.6 * len(plain):
            continue  # someone put the whole reply in quotation marks
        echoed = bool(inside) and len(inside & heard) >= 0.5 * len(inside)
        reported = _SAID_BEFORE.search(plain[max(0, match.start() - 10) : match.start()])
        if echoed or reported or _SAID_AFTER.match(plain[match.end() : match.end() + 8]):
            yield Span(match.start(), match.end())


def _cut(text: str, ends: re.Pattern[str]) -> Iterable[Span]:
    start = 0
    for match in ends.finditer(text):
        if text[start : match.start()].strip():
            yield Span(start, match.start())
        start = match.end()
    if text[start:].strip():
        yield Span(start, len(text))


def _around(spans: tuple[Span, ...], position: int, length: int) -> Span:
    for span in spans:
        if position < span.end:
            return Span(min(span.start, position), span.end)
    return spans[-1] if spans else Span(0, length)
