"""Disguised writing undone: spaces between characters, full width, traditional characters, homophones, pinyin.

Used only to find breaches: ``公 安``, ``gong'an``, ``公按`` and ``公安`` cross the same line. The words and sounds are data
(``knowledge/appraisal/disguises.yaml``); a homophone that is an ordinary word of its own is left alone.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from bot.scenarios import read_yaml

_HAN = re.compile(r"[\u4e00-\u9fff]")


@dataclass(frozen=True)
class Undone:
    """Plain writing and, for each of its characters, its place in the original."""

    text: str
    places: tuple[int, ...]

    def original(self, start: int, end: int) -> tuple[int, int]:
        """The stretch of the original that a stretch of the plain text stands for."""
        if not self.places or start >= end:
            return 0, 0
        return self.places[start], self.places[min(end, len(self.places)) - 1] + 1


class Disguises:
    """Undoes disguises with the word list of a content folder."""

    def __init__(self, path: Path) -> None:
        data = read_yaml(path)
        self._simple = str.maketrans(data["traditional"], data["simplified"])
        self._sound = {ch: sound for sound, chars in data["sounds"].items() for ch in chars}
        self._ordinary = frozenset(data["ordinary"])
        by_sound = {tuple(sounds.split()): word for word, sounds in data["words"].items()}
        self._by_sound = by_sound
        self._longest = max(map(len, by_sound))
        self._latin = {"".join(s): w for s, w in by_sound.items()} | {k.lower(): w for k, w in data["short"].items()}
        longest_first = sorted(self._latin, key=len, reverse=True)
        self._spelled = re.compile("|".join(r"['’ 0-5]*".join(map(re.escape, word)) for word in longest_first))

    def undo(self, text: str) -> Undone:
        """Plain writing for a text. Equal to the text where nothing was disguised."""
        letters = _without_filling(list(self._letters(text)))
        letters = self._spelt_out(letters)
        return self._same_sound(letters)

    def _letters(self, text: str) -> list[tuple[str, int]]:
        found = []
        for i, ch in enumerate(text):
            if unicodedata.category(ch) in ("Cf", "Mn", "Me"):
                continue
            wide = (
                unicodedata.normalize("NFKC", ch) if "\uff01" <= ch <= "\uff5e" and ch not in "，。！？；：（）" else ch
            )
            found.append((wide.translate(self._simple).lower()[:1] or ch, i))
        return found

    def _spelt_out(self, letters: list[tuple[str, int]]) -> list[tuple[str, int]]:
        text = "".join(ch for ch, _ in letters)
        if not re.search(r"[a-z]", text):
            return letters
        made, last = list[tuple[str, int]](), 0
        for match in self._spelled.finditer(text):
            word = self._latin.get(re.sub(r"['’ 0-5]", "", match.group()), "")
            before, after = text[match.start() - 1 : match.start()], text[match.end() : match.end() + 1]
            if not word or (before.isascii() and before.isalpha()) or (after.isascii() and after.isalpha()):
                continue
            made += letters[last : match.start()]
            span = letters[match.start() : match.end()]
            step = len(span) / len(word)
            made += [(ch, span[min(len(span) - 1, int(i * step))][1]) for i, ch in enumerate(word)]
            made[-1] = (word[-1], span[-1][1])
            last = match.end()
        return [*made, *letters[last:]]

    def _same_sound(self, letters: list[tuple[str, int]]) -> Undone:
        text = [ch for ch, _ in letters]
        sounds = [self._sound.get(ch, "") for ch in text]
        i = 0
        while i < len(text):
            for size in range(self._longest, 1, -1):
                word = self._by_sound.get(tuple(sounds[i : i + size]))
                here = "".join(text[i : i + size])
                if word and word != here and here not in self._ordinary:
                    text[i : i + size] = word
                if word:
                    i += size - 1
                    break
            i += 1
        return Undone("".join(text), tuple(place for _, place in letters))


def _without_filling(letters: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Letters without the signs that were put between Chinese characters to break words up."""
    text = "".join(ch for ch, _ in letters)
    drop: set[int] = set()
    for match in re.finditer(r"[ \t.·*_\-~|/\\+=^#&'’`•・﹒]{1,3}", text):
        before, after = text[match.start() - 1 : match.start()], text[match.end() : match.end() + 1]
        if _HAN.match(before) and _HAN.match(after):
            drop.update(range(match.start(), match.end()))
    return [pair for i, pair in enumerate(letters) if i not in drop]
