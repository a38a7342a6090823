"""Which of the 40 red lines a breach crossed: the closest of the candidates its label allows, with its citations."""

from __future__ import annotations

from bot.appraisal.segments import bigrams, fold
from bot.records import RedLine
from bot.scenarios import Library

# red lines that no label of the taxonomy names, and the labels whose words cross them
ALSO = {
    "threat_intimidate": ("RL24", "RL35"),
    "obstruct_complaint": ("RL34", "RL35", "RL36"),
    "hide_identity": ("RL29",),
    "leak_internal": ("RL37",),
    "disclose_third_party": ("RL37",),
    "insult": ("RL38",),
}


class RedLines:
    """Picks red lines by shared character pairs with each line's violating examples."""

    def __init__(self, library: Library) -> None:
        self.lines = library.redlines
        self.candidates = {
            code: tuple(i for i in (*card.redlines, *ALSO.get(code, ())) if i in self.lines)
            for code, card in library.taxonomy.violations.items()
        }
        self.primary = {code: card.redlines for code, card in library.taxonomy.violations.items()}
        self._examples = {
            i: tuple(bigrams(fold(text)) for text in (*line.violating, line.name)) for i, line in self.lines.items()
        }

    def closest(self, code: str, clause: str) -> RedLine | None:
        """The red line a breach's clause is most like; the label's first one when nothing is alike."""
        candidates = self.candidates.get(code, ())
        if not candidates:
            return None
        said = bigrams(clause)
        ranked = max(candidates, key=lambda i: (self._likeness(i, said), -candidates.index(i)))
        return self.lines[ranked]

    def _likeness(self, line: str, said: set[str]) -> float:
        if not said:
            return 0.0
        return max((2 * len(e & said) / (len(e) + len(said)) for e in self._examples[line]), default=0.0)
