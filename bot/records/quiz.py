"""Quiz: questions on rules and concepts, each answer with the section it rests on."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bot.records.base import Record

QuizKind = Literal["single", "multiple", "judge", "open", "classify"]
"""One right option, several, 对/错, free writing with reference points, one line into one of the set's classes."""


class Question(Record):
    """One question. `answer` holds the right options word for word; for `open`, reference points and no verdict."""

    id: str = Field(pattern=r"^Q[A-Z]\d\d$")
    kind: QuizKind
    question: str = Field(min_length=4)
    options: tuple[str, ...] = ()
    answer: tuple[str, ...] = Field(min_length=1)
    explanation: str = Field(min_length=8)
    citations: tuple[str, ...] = Field(min_length=1)
    outline: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()


class QuizSet(Record):
    """A file of questions. `classes` are the options of its `classify` questions; `intro` is said before the first."""

    id: str = Field(pattern=r"^[a-z][a-z-]+$")
    title: str
    intro: str
    classes: tuple[str, ...] = ()
    questions: tuple[Question, ...] = Field(min_length=1)
