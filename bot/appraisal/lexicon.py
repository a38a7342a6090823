"""The word rules of ``knowledge/appraisal/lexicon.yaml``: compiled once, run over a reply in linear time.

Patterns have bounded gaps and no nested repeats, so no input makes them slow.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.appraisal.segments import Said, Span, fold_pattern
from bot.errors import ContentError
from bot.scenarios import read_yaml

Condition = Callable[[str, int], bool]
_MACRO = re.compile(r"<([A-Z0-9]+)>")
_GAPS = (("~~", "[^。！？]{0,18}?"), ("~", "[^。！？]{0,8}?"), ("·", "[^，。！？；]{0,6}?"))
_KEYS = {
    "any", "not", "not_sentence", "not_reply", "when", "base", "fixed", "weak", "where", "free", "factual", "yields", "sure",
}  # fmt: skip
_DENIED = re.compile(
    r"不会|(?<![总能])不能(?!怪|让您)|绝不|决不|从不|从来不|(?<![怪舍巴恨])不得(?!不)|不允许|禁止|不可以|不敢|无权|没有权|没权|不该|不应|不是(?:要|说|让|想|去)"
    r"|不建议|不用(?!管|还|交|承担)|不必|没有人|没人|谁也|谁都不|无法|没法(?!律)|(?<!要)不要(?!脸)|千万别|不想让|不希望|不愿意"
    r"|(?<![您先级区特])别(?!想|怪|以为|逼|后悔|跟|拿|的|人|家|说我|管|废|讲|问|截|留)"
)
_FACTUAL = re.compile(r"可能|依法|程序|由法院|有权|按合同|合同约定|按规定|正式渠道|会按|如实")
_MENACE = re.compile(
    r"孩子|子女|儿子|女儿|政审|单位|坐牢|抓|警察|通讯录|自负|看着办|掂量|等着|一辈子|黑名单|全家|家人|家里|好看|别怪|堵|朋友圈"
    r"|领导|门口|后悔|拘|判|诈骗|毁|三代|您家|吃亏|小心|好自为之|办不了"
)


@dataclass(frozen=True)
class Rule:
    """One rule of one code."""

    code: str
    find: re.Pattern[str]
    blocked: re.Pattern[str] | None
    blocked_sentence: re.Pattern[str] | None
    blocked_reply: re.Pattern[str] | None
    when: tuple[str, ...]
    base: float
    fixed: bool
    weak: bool
    yields: bool
    guarded: bool
    factual: bool
    action: bool
    sure: bool


@dataclass(frozen=True)
class Hit:
    """A code found in some words. `yields`: gives way to a more telling code on the same words; `sure`: needs no second
    opinion."""

    code: str
    span: Span
    base: float
    fixed: bool = False
    weak: bool = False
    yields: bool = False
    action: bool = False
    sure: bool = False


class Lexicon:
    """All rules. Raises `ContentError` naming the code and the pattern that is wrong."""

    def __init__(self, path: Path, guarded: frozenset[str]) -> None:
        self.path, data = path, read_yaml(path)
        self.macros: dict[str, str] = {k: fold_pattern(v) for k, v in data["macros"].items()}
        self.rules = tuple(
            self._rule(code, rule, code in guarded) for code, rules in data["codes"].items() for rule in rules
        )
        self.codes = frozenset(data["codes"])

    def find(self, said: Said, codes: frozenset[str], holds: Condition) -> Iterator[Hit]:
        """Every place where one of `codes` shows; `holds(name, position)` answers a rule's conditions."""
        for rule in self.rules:
            if rule.code in codes:
                yield from _matches(rule, said, holds)

    def pattern(self, text: str) -> re.Pattern[str]:
        """A pattern in the file's notation, compiled."""
        expanded = _MACRO.sub(self._macro, fold_pattern(text))
        for short, long in _GAPS:
            expanded = expanded.replace(short, long)
        try:
            return re.compile(expanded)
        except re.error as error:
            raise ContentError(f"{self.path.name}：写法 {text!r} 有误（{error}）。请检查括号。") from None

    def _macro(self, match: re.Match[str]) -> str:
        if match[1] not in self.macros:
            raise ContentError(f"{self.path.name}：没有词表 <{match[1]}>。请在 macros 里补上。")
        return self.macros[match[1]]

    def _rule(self, code: str, rule: dict[str, Any], guarded: bool) -> Rule:
        unknown = set(rule) - _KEYS
        if unknown or not rule.get("any"):
            raise ContentError(f"{self.path.name}：{code} 的规则有误（{'、'.join(sorted(unknown)) or '缺少 any'}）。")

        def joined(key: str) -> re.Pattern[str] | None:
            parts = rule.get(key)
            return self.pattern("|".join(f"(?:{p})" for p in parts)) if parts else None

        find = joined("any")
        assert find is not None
        return Rule(
            code, find, joined("not"), joined("not_sentence"), joined("not_reply"), tuple(rule.get("when", ())),
            float(rule.get("base", 1.0)), bool(rule.get("fixed")), bool(rule.get("weak")), bool(rule.get("yields")),
            guarded and not rule.get("free"), bool(rule.get("factual")), rule.get("where") == "action",
            bool(rule.get("sure")),
        )  # fmt: skip


def _matches(rule: Rule, said: Said, holds: Condition) -> Iterator[Hit]:
    text = said.gestures if rule.action else said.plain
    if rule.blocked_reply and rule.blocked_reply.search(said.plain):
        return
    for match in rule.find.finditer(text):
        span = _trimmed(text, match)
        if span.end <= span.start or not all(holds(name, span.start) for name in rule.when):
            continue
        if rule.action:
            shown = next((a for a in said.actions if a.start <= span.start < a.end), span)
            if not (rule.blocked and rule.blocked.search(text[shown.start : shown.end])):
                yield Hit(rule.code, span, rule.base, rule.fixed, rule.weak, rule.yields, True)
        elif not _blocked(rule, said, span):
            yield Hit(rule.code, span, rule.base, rule.fixed, rule.weak, rule.yields, sure=rule.sure)


def _trimmed(text: str, match: re.Match[str]) -> Span:
    start, end = match.span()
    while start < end and text[start] in "。！？，；： ◇":
        start += 1
    return Span(start, end)


def _blocked(rule: Rule, said: Said, span: Span) -> bool:
    first, last = said.clause_at(span.start), said.clause_at(max(span.start, span.end - 1))
    clause = said.plain[first.start : max(span.end, last.end)]
    sentence = said.text(said.sentence_at(span.start))
    if rule.blocked and rule.blocked.search(clause):
        return True
    if rule.blocked_sentence and rule.blocked_sentence.search(sentence):
        return True
    if rule.factual and _FACTUAL.search(sentence) and not _MENACE.search(clause):
        return True
    return rule.guarded and bool(_DENIED.search(said.plain[first.start : span.end]))
