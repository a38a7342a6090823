"""A class: its assignments, what its trainers wrote and marked, and what its learners objected to."""

from __future__ import annotations

from pydantic import Field

from bot.records.base import Mode, Record


class Group(Record):
    """A class."""

    id: str
    name: str
    created_at: str = ""


class Assignment(Record):
    """Work for a class. `clean`: a red line fails it whatever the score. `due` is the last day, YYYY-MM-DD."""

    id: str
    group_id: str
    scenario: str
    mode: Mode = "exam"
    due: str
    pass_score: float = Field(default=75, ge=0, le=100)
    clean: bool = True
    seed: int | None = None
    note: str = Field(default="", max_length=200)
    by: str = ""
    created_at: str = ""
    closed: bool = False


class Try(Record):
    """One talk begun from an assignment. `reds` counts its red lines once it is graded."""

    assignment: str
    session: str
    owner: str
    started_at: str
    ended: str
    final: float | None
    reds: int = 0

    def passes(self, work: Assignment) -> bool:
        """Whether it fulfils the rule of the assignment."""
        return self.final is not None and self.final >= work.pass_score and not (work.clean and self.reds)


class Comment(Record):
    """What a trainer wrote about turn `n`; 0 is the whole talk."""

    id: int = 0
    session: str
    n: int
    by_id: str
    by: str
    text: str
    at: str


class Remark(Record):
    """A trainer's mark for a dimension, 1-5, with the system's mark as it was then."""

    session: str
    dimension: str
    system: float | None
    score: float = Field(ge=1, le=5)
    reason: str
    by: str
    at: str


class Appeal(Record):
    """A learner's objection; `answer` is empty while it is open. No dimension: the talk as a whole."""

    id: int = 0
    session: str
    dimension: str = ""
    text: str
    at: str
    answer: str = ""
    answered_by: str = ""
    answered_at: str = ""
