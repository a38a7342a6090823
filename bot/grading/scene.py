"""One turn as the grader sees it: what was said, what counts against it once, how heated the customer was.

The same words are penalised once: a fatal breach outweighs a serious one, that an anti-pattern, and of two
anti-patterns on the same words the graver counts. Nothing here scores.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from bot.records import Citation, Scenario, Technique, Turn
from bot.scenarios import Library

Level = Literal["fatal", "serious", "anti"]
_RANK = {"fatal": 1000.0, "serious": 500.0, "anti": 0.0}
_SENTENCE = re.compile(r"[^。！？!?；;\n]+[。！？!?；;]?")


@dataclass(frozen=True)
class Harm:
    """A breach or an anti-pattern that counts, with the words that show it (empty when there are none)."""

    code: str
    level: Level
    severity: int
    evidence: str
    start: int
    intensity: float = 1.0
    redline: str = ""
    citations: tuple[Citation, ...] = ()

    @property
    def weight(self) -> float:
        """How grave it is; only the order matters."""
        return _RANK[self.level] + 10.0 * self.severity + self.intensity

    def overlaps(self, other: Harm) -> bool:
        """Whether both rest on the same words: at least half of the shorter evidence is shared."""
        if not self.evidence or not other.evidence:
            return False
        left, right = max(self.start, other.start), min(self.end, other.end)
        return right - left >= 0.5 * min(len(self.evidence), len(other.evidence))

    @property
    def end(self) -> int:
        """Where the evidence ends in the reply."""
        return self.start + len(self.evidence)


@dataclass(frozen=True)
class Scene:
    """A turn with everything the grader may know about it. `given` is the case it is said to belong to."""

    turn: Turn
    earlier: tuple[Turn, ...]
    library: Library
    given: Scenario | None = None

    @property
    def rules(self) -> Mapping[str, Any]:
        """How one reply is scored."""
        scoring: Mapping[str, Any] = self.library.rubric["turn_scoring"]
        return scoring

    @property
    def act(self) -> str:
        """What the customer was doing when the learner replied."""
        return self.turn.appraisal.customer_act

    @cached_property
    def scenario(self) -> Scenario | None:
        """The case this talk belongs to, told by its opening line; None when it opened otherwise (a transcript)."""
        opening = (self.earlier[0] if self.earlier else self.turn).customer
        known = [*([self.given] if self.given else []), *self.library.scenarios.values()]
        return next((s for s in known if s.opening == opening), None)

    @property
    def anger(self) -> float:
        """The customer's anger when the learner replied, 0–100."""
        return anger_before(self.turn, self.earlier)

    @property
    def reason(self) -> float:
        """How far the customer's reason was online when the learner replied, 0–100."""
        return self.earlier[-1].mind.reason if self.earlier else self.turn.mind.reason

    @cached_property
    def harms(self) -> tuple[Harm, ...]:
        """What counts against the reply, gravest first, each piece of evidence once."""
        kept: list[Harm] = []
        for harm in sorted(self._all_harms(), key=lambda h: (-h.weight, h.start, h.code)):
            if not any(harm.overlaps(other) for other in kept):
                kept.append(harm)
        return tuple(kept)

    @cached_property
    def techniques(self) -> tuple[Technique, ...]:
        """The techniques that count: not those whose words were just counted as harm."""
        spent = {(h.start, h.end) for h in self.harms if h.evidence}
        return tuple(
            t for t in self.turn.appraisal.techniques
            if t.quality > 0 and (t.start, t.start + len(t.evidence)) not in spent
        )  # fmt: skip

    @property
    def codes(self) -> frozenset[str]:
        """Every code that counts in this reply."""
        return frozenset([t.code for t in self.techniques] + [h.code for h in self.harms])

    def best(self, codes: Sequence[str]) -> Technique | None:
        """The strongest of some techniques shown here."""
        found = [t for t in self.techniques if t.code in codes]
        return max(found, key=lambda t: (t.quality, -t.start)) if found else None

    @property
    def paced_before(self) -> bool:
        """Whether the reply before this one paced the customer."""
        pace = self.rules["pace_codes"]
        return bool(self.earlier) and any(t.code in pace for t in self.earlier[-1].appraisal.techniques)

    @cached_property
    def out_of_order(self) -> Technique | None:
        """The solution or explanation that ran ahead of any pacing while the customer was still angry."""
        order = self.rules["out_of_order"]
        if self.anger < order["anger"] or self.act in order["exempt_acts"] or self.paced_before:
            return None
        leads = [t for t in self.techniques if t.code in self.rules["lead_codes"]]
        paces = [t.start for t in self.techniques if t.code in self.rules["pace_codes"]]
        first = min(leads, key=lambda t: t.start, default=None)
        return first if first and (not paces or min(paces) > first.start) else None

    @property
    def order_harm(self) -> Harm | None:
        """An anti-pattern that says the same: explaining or leading too early."""
        return next((h for h in self.harms if h.code in self.rules["lead_antis"]), None)

    @property
    def missed_crisis(self) -> bool:
        """Whether the customer spoke of harming himself and the reply did not put safety first."""
        return self.act == "crisis" and not self.codes & set(self.rules["crisis_answers"])

    @property
    def closing(self) -> bool:
        """Whether this reply ends the talk."""
        return self.turn.act.ends or bool(self.turn.mind.ended)

    def quote(self, evidence: str) -> str:
        """The evidence if it is the learner's exact words, else the reply's first sentence."""
        return evidence if evidence and evidence in self.turn.reply else self.first_sentence

    @property
    def first_sentence(self) -> str:
        """The reply's first sentence, verbatim."""
        return sentence(self.turn.reply)

    def _all_harms(self) -> list[Harm]:
        read, tax = self.turn.appraisal, self.library.taxonomy
        found = [
            Harm(v.code, v.level, 3, v.evidence, v.start, v.intensity, v.redline, v.citations) for v in read.violations
        ] + [Harm(a.code, "anti", a.severity, a.evidence, a.start, a.intensity) for a in read.antis]
        names = {h.code for h in found} | {t.code for t in read.techniques}
        if self.act == "crisis" and not names & {"crisis_safety", "crisis_ignore"}:
            found.append(Harm("crisis_ignore", "fatal", 3, self.first_sentence, self._at(self.first_sentence)))
        if self.act == "vent" and "early_explain" not in names:
            severity = tax.antis["early_explain"].severity
            found += [
                Harm("early_explain", "anti", severity, t.evidence, t.start)
                for t in read.techniques if t.code == "soft_explain"
            ]  # fmt: skip
        return found

    def _at(self, text: str) -> int:
        return max(0, self.turn.reply.find(text))


def scenes(turns: Sequence[Turn], library: Library, scenario: Scenario | None = None) -> tuple[Scene, ...]:
    """Every turn of a talk as a scene, in order."""
    return tuple(Scene(turn, tuple(turns[:i]), library, scenario) for i, turn in enumerate(turns))


def anger_before(turn: Turn, earlier: Sequence[Turn]) -> float:
    """Anger when the learner replied; on the first turn, what it was before the reply moved it."""
    if earlier:
        return earlier[-1].mind.values["A"]
    return turn.mind.values["A"] - sum(c.delta for c in turn.changes if c.variable == "A")


def sentence(text: str) -> str:
    """The first sentence that says something, verbatim; the whole text when there is none."""
    found = next((m.group().strip() for m in _SENTENCE.finditer(text) if re.search(r"\w", m.group())), "")
    return found or text.strip()


def questions(text: str) -> tuple[str, ...]:
    """Every question in a reply, verbatim."""
    return tuple(m.group().strip() for m in re.finditer(r"[^。！？!?；;\n]*[?？]", text) if len(m.group().strip()) > 1)
