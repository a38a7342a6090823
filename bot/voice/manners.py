"""What trainers have said of the customer's words, applied by both voices: lines he never says, lines he would say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bot.prompts import fence
from bot.records import Cue, Principle
from bot.voice.guard import bare, overlap

ALIKE = 0.8
TELLING, PIECE = 2, 4
"""The fewest characters of a phrase that may forbid a longer line, and of a line that is a piece of what was disliked."""
WANTED = "培训师对这位客户说话的要求"


def principles(cue: Cue) -> tuple[Principle, ...]:
    """The persona's and the case's, the persona's first."""
    return (*(cue.persona.principles if cue.persona else ()), *cue.scenario.principles)


def forbidden(line: str, found: Iterable[Principle]) -> bool:
    """Whether a line, or a whole piece of what was disliked, is one he would never say."""
    return any(_same(line, p.line) for p in found if p.kind == "unlike" and bare(p.line))


def _same(line: str, disliked: str) -> bool:
    mine, theirs = bare(line), bare(disliked)
    if not mine:
        return False
    if len(theirs) >= TELLING and theirs in mine:
        return True
    # what was disliked may be a reaction and its content in one: each of them is a line of its own in the banks
    return (len(mine) > PIECE and mine in theirs) or mine == theirs or overlap(line, disliked) >= ALIKE


def preferred(cue: Cue) -> tuple[str, ...]:
    """What he says of his own accord when he does now what he did when the trainer spoke up."""
    return tuple(_wanted(cue))


def _wanted(cue: Cue) -> Iterator[str]:
    for p in principles(cue):
        words = p.better if p.kind == "unlike" else p.line
        if words and p.behaviour == cue.act.behaviour and set(p.facts) == set(cue.act.facts):
            yield words


def rules(cue: Cue) -> str:
    """The same for a model: part of his card, fenced, because it is typed text. Empty when nobody said anything."""
    found = principles(cue)
    return "\n" + fence(WANTED, "\n".join(f"- {_rule(p)}" for p in found)) if found else ""


def _rule(p: Principle) -> str:
    if p.kind == "like":
        return f"像这样说：{p.line}" + (f"（{p.why}）" if p.why else "")
    never = f"不要这样说：{p.line}" if p.line else p.why
    why = f"（{p.why}）" if p.line and p.why else ""
    return f"{never}{why}" + (f"；可以说：{p.better}" if p.better else "")
