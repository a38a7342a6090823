"""One person's talk as a line of the history, with everything that qualifies its score."""

from __future__ import annotations

from bot.records.base import Record


class Entry(Record):
    """A talk in a list. `hints` were asked for in it; `parent` is the talk it was taken up again from, at a turn."""

    id: str
    owner: str = ""
    scenario: str
    title: str
    mode: str
    started_at: str
    ended: str
    turn_count: int
    final: float | None
    hints: int = 0
    parent: str = ""
    parent_turn: int = 0
    assignment: str = ""


class Hint(Record):
    """One concrete move before turn `n`: what to catch in his words, which technique, and why it works now.

    `step` 1 names the move, 2 adds how the sentence may begin. `avoid` is what the last reply did to him, if anything.
    """

    n: int
    step: int
    code: str
    technique: str
    state: str
    catch: str
    move: str
    why: str
    avoid: str = ""
    begin: str = ""
