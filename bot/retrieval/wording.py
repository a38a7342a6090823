"""What a question asks for, beyond its own words: everyday speech in the terms of the rules, numerals both ways."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from bot.errors import ContentError
from bot.retrieval.lexical import grams
from bot.scenarios import read_yaml

FORMAL = 0.5  # how much a term counts that was not said but meant, chosen by measuring
TELLING = 0.5  # below this a gram is in so many questions that it says nothing
_PAIR = re.compile(r"[\u4e00-\u9fff]{2}")
_LATIN = re.compile(r"[A-Za-z0-9]{2,}")
_DIGITS = "零一二三四五六七八九"
_ARABIC = re.compile(r"第?(\d{1,4})([条章节款])")
_CHINESE = re.compile(r"第([一二三四五六七八九十百千零〇两]{1,9})([条章节款])")


class Everyday:
    """How people ask: their words and the terms that rules use for them, and what they say whatever they ask."""

    def __init__(
        self, words: Mapping[str, list[str]], asked: Sequence[str], dialect: Mapping[str, str] | None = None
    ) -> None:
        self._words, self._dialect = dict(words), dict(dialect or {})
        self._any, self._local = _any_of(self._words), _any_of(self._dialect)
        self._common = Counter(g for question in asked for g in grams(question))
        self._asked = len(asked)

    @classmethod
    def load(cls, root: Path) -> Everyday:
        """The words and questions of a content folder. Raises `ContentError` when a file is missing or wrong."""
        path = root / "knowledge" / "retrieval" / "everyday.yaml"
        data = read_yaml(path)
        words = data.get("words") if isinstance(data, dict) else None
        if not isinstance(words, dict) or not all(isinstance(v, list) for v in words.values()):
            raise ContentError(f"{path.name}：words 应当是“口语: [书面用语, …]”，请改正。")
        dialect = data.get("dialect", {})
        if not isinstance(dialect, dict) or not all(isinstance(v, str) for v in dialect.values()):
            raise ContentError(f"{path.name}：dialect 应当是“方言: 普通话”，请改正。")
        spoken = {str(k): [str(t) for t in v] for k, v in words.items()}
        return cls(spoken, questions(root), {str(k): v for k, v in dialect.items()})

    def plain(self, query: str) -> str:
        """The query with words of a dialect in the words of the written language."""
        return self._local.sub(lambda m: self._dialect[m.group()], query)

    def formal(self, query: str) -> list[str]:
        """The terms meant by the everyday words of a query, each once, in order."""
        return list(dict.fromkeys(t for m in self._any.finditer(query) for t in self._words[m.group()]))

    def asked(self, query: str) -> dict[int, float]:
        """The grams to look for, with their weights.

        What was said counts whole, what was meant counts less; what is said in every question (怎么, 能不能) hardly.
        """
        meant = {g for term in [*self.formal(query), *numerals(query)] for g in grams(term)}
        wanted = dict.fromkeys(meant, FORMAL) | dict.fromkeys(grams(query), 1.0)
        return {g: weight * self._telling(g) for g, weight in wanted.items()}

    def terms(self, query: str) -> tuple[str, ...]:
        """What to point out in a passage: the terms meant, and the telling pairs of characters that were said."""
        pairs = [query[i : i + 2] for i in range(len(query) - 1)]
        said = [p for p in pairs if _PAIR.fullmatch(p) and all(self._telling(g) > TELLING for g in grams(p))]
        return tuple(dict.fromkeys([*self.formal(query), *said, *_LATIN.findall(query)]))

    def _telling(self, gram: int) -> float:
        return 1 - math.log(self._common[gram] + 1) / math.log(self._asked + 2)


def _any_of(words: Mapping[str, object]) -> re.Pattern[str]:
    """Any of the words; the longest match explains the characters it covers."""
    return re.compile("|".join(map(re.escape, sorted(words, key=len, reverse=True))) or r"(?!)")


def questions(root: Path) -> list[str]:
    """Everyday questions, for what they have in common. Raises `ContentError` when the file is missing."""
    path = root / "knowledge" / "retrieval" / "asked.txt"
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise ContentError(f"缺少文件 {path.name}，或它不是 UTF-8。请恢复该文件。") from None
    return [line for line in text.splitlines() if line.strip()]


def numerals(query: str) -> list[str]:
    """The article, chapter and section numbers of a query in the other way of writing: 第25条, 第二十五条."""
    found = [f"第{chinese(int(m[1]))}{m[2]}" for m in _ARABIC.finditer(query)]
    return found + [f"第{arabic(m[1])}{m[2]}" for m in _CHINESE.finditer(query)]


def arabic(numeral: str) -> int:
    """The value of a Chinese numeral below ten thousand."""
    total = current = 0
    for ch in numeral.replace("〇", "零").replace("两", "二"):
        if ch in _DIGITS:
            current = _DIGITS.index(ch)
        else:
            total += (current or 1) * {"十": 10, "百": 100, "千": 1000}[ch]
            current = 0
    return total + current


def chinese(number: int) -> str:
    """A number below ten thousand as statutes write it: 10 is 十, 105 is 一百零五, 1042 is 一千零四十二."""
    text, gap = "", False
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, number = divmod(number, unit)
        if not digit:
            gap = (bool(text) and number > 0) or gap
            continue
        text += ("零" if gap else "") + _DIGITS[digit] + name
        gap = False
    return text.removeprefix("一") if text.startswith("一十") else text or "零"
