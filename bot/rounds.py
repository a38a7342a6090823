"""知识测验: rounds of questions. What went wrong goes into the same book as the drills and comes back."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from bot import notebook, privacy
from bot.citations import load_shelf
from bot.errors import LearnerError
from bot.parts import Parts
from bot.quiz import load_quiz
from bot.records import Practised, Question
from bot.replies import cleaned
from bot.sources import Source, reference

ROUND = 10
OPEN_LEAST = 10
KIND_NAMES = {
    "single": "单选", "multiple": "多选", "judge": "判断", "classify": "归类", "open": "思考题",
}  # fmt: skip


@dataclass(frozen=True)
class Verdict:
    """An answered question. `right` None: an open question, which has points to compare with and no verdict."""

    question: Question
    chosen: tuple[str, ...]
    right: bool | None
    sources: tuple[Source, ...]
    practised: Practised
    written: str = ""


def questions(parts: Parts) -> dict[str, Question]:
    """Every question, by id."""
    return {q.id: q for quiz in load_quiz(parts.library.root).values() for q in quiz.questions}


def question(parts: Parts, question_id: str) -> Question:
    """A question by id. Raises `LearnerError` when there is none."""
    found = questions(parts).get(question_id)
    if found is None:
        raise LearnerError(f"没有题号 {question_id[:20]}，可能已被培训师删去。请换一轮。")
    return found


def draw(
    parts: Parts, owner: str, weak: Mapping[str, float], topic: str = "", seed: int = 0, count: int = ROUND
) -> tuple[str, ...]:  # fmt: skip
    """The questions of a round: wrong ones that are due, then new ones, weak codes first, then those half forgotten.

    `topic` is the id of a set; empty draws from all of them, open questions left out: those are a set of their own.
    """
    sets = load_quiz(parts.library.root)
    chosen = [sets[topic]] if topic in sets else list(sets.values())
    asked = {q.id: q.codes for s in chosen for q in s.questions if topic or q.kind != "open"}
    shuffled = list(asked)
    random.Random(seed).shuffle(shuffled)  # noqa: S311 - a choice of exercises
    ranked = notebook.order({q: asked[q] for q in shuffled}, parts.practice.all(owner), weak, parts.clock())
    return ranked[:count]


def due(parts: Parts, owner: str, count: int = ROUND) -> tuple[str, ...]:
    """The questions of the book whose time has come."""
    known = questions(parts)
    return tuple(p.card for p in notebook.due(parts.practice.all(owner), parts.clock()) if p.card in known)[:count]


def answer(
    parts: Parts, owner: str, question_id: str, chosen: Collection[str] = (), written: str = ""
) -> Verdict:  # fmt: skip
    """Check an answer and write it into the person's book.

    Raises `LearnerError` when nothing was chosen, or an open question was answered with less than a sentence.
    """
    q = question(parts, question_id)
    picked = tuple(o for o in q.options if o in chosen)
    if q.kind == "open":
        text = privacy.mask(cleaned(written))[0][: parts.settings.max_reply_chars]
        if sum(ch.isalnum() for ch in text) < OPEN_LEAST:
            raise LearnerError("先写一两句自己的想法再看参考要点，写得不全也没有关系。")
        noted = notebook.note(parts, owner, q.id, passed=True, said=text)
        return Verdict(q, (), None, sources_of(parts, q), noted, text)
    if not picked:
        raise LearnerError(
            "还没有选。多选题可以选好几个，选好再交。" if q.kind == "multiple" else "还没有选，选一个再交。"
        )
    right = set(picked) == set(q.answer)
    noted = notebook.note(parts, owner, q.id, passed=right, said="、".join(picked))
    return Verdict(q, picked, right, sources_of(parts, q), noted)


def sources_of(parts: Parts, q: Question) -> tuple[Source, ...]:
    """Where the answer to a question stands written, each with its standing and a link."""
    shelf = load_shelf(parts.library.root)
    return tuple(reference(cited, shelf) for cited in q.citations)
