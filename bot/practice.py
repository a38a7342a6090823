"""快练: one question, one reply, read and graded at once by the same appraisal and grading as a talk."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from bot import grading, mind, notebook, replies
from bot.decks import Decks, Exercise, load_decks
from bot.parts import Parts
from bot.records import Appraisal, Coaching, Context, Mind, Practised, Record, Scenario, Turn, TurnGrade, Utterance
from bot.replies import SHORT, same

PASS = 60.0
"""A reply passes from this score on, when it holds no breach and no slip of severity `GRAVE`, says something only
this customer would hear (where he gave nothing to name: shows what is trained), and was not said to another before.

The score is the mean of two: the dimensions the reply showed, weighted as in the case it comes from, and the mark a
trainer would give the whole reply as the reader estimates it. Every model reply passes; typical wrong ones stay
under 50 (see the tests).
"""
GRAVE = 2
AIMLESS = "话不重，可还没有接到点子上，看看下面这一条。"
UNHEARD = "话不重，可是换个客户也能这么说。再加一个只属于他的细节：时间、数字、人或事。"
RECITED = "这句话您对别的客户也说过。每位客户的难处不一样，换成只说给他听的话。"
COPIED = "过是过了，不过这是示范的原话。换成自己的话，客户更听得出是您在说。"


class Outcome(Record):
    """What became of one reply."""

    card: str
    turn: Turn
    grade: TurnGrade
    score: float
    passed: bool
    why: str
    trained: tuple[tuple[str, bool], ...]
    practised: Practised | None = None
    notice: str = ""

    @property
    def read(self) -> Appraisal:
        """How the reply was read."""
        return self.turn.appraisal

    @property
    def coaching(self) -> Coaching:
        """The one point worth making."""
        return self.grade.coaching


def decks(parts: Parts) -> Decks:
    """Every question there is."""
    return load_decks(parts.library.root)


def answer(parts: Parts, owner: str, card_id: str, text: str) -> Outcome:
    """Grade a reply to a question and write it into the person's book.

    Raises `LearnerError` for an unknown question and for a reply that cannot be graded; nothing is stored then.
    """
    exercise = decks(parts).exercise(card_id)
    case = exercise.case
    fiction = (case.profile.name, case.opening, case.demand, case.exemplary, *case.facts.values())
    reply, notices = replies.accepted(text, parts.settings.max_reply_chars, fiction)
    made = graded(parts, exercise, reply)
    if made.passed and _said_before(parts, owner, card_id, reply):
        made = made.model_copy(update={"passed": False, "why": RECITED})
    if made.passed and same(reply, case.exemplary):
        made = made.model_copy(update={"why": COPIED})
    noted = notebook.note(parts, owner, card_id, passed=made.passed, score=made.score, said=reply)
    return made.model_copy(update={"practised": noted, "notice": "".join(notices)})


def graded(parts: Parts, exercise: Exercise, reply: str) -> Outcome:
    """A reply read and graded, in milliseconds; nothing is stored."""
    case, library = exercise.case, parts.library
    start = mind.start(case, None, parts.rules)
    turn = _turn(parts, case, start, reply)
    grade = grading.grade_turn(turn, (), library, case)
    report = grading.report((turn,), case, library, start_mood=start.mood, grades=[grade])
    read = turn.appraisal
    score = round((report.rubric_score + (read.mark - 1) / 4 * 100) / 2, 1)
    trained = tuple((code, code in read.codes) for code in exercise.card.trains)
    detail = next((v.passed for v in grade.verdicts if v.id == "detail"), None)
    aimed = case.opening_act == "vent" or detail is None  # nothing of his own to name: the technique itself must show
    heard = any(shown for _, shown in trained) if aimed else bool(detail)
    grave = [*(v.code for v in read.violations), *(a.code for a in read.antis if a.severity >= GRAVE)]
    names = [library.taxonomy.name(code).split("（")[0] for code in grave]
    passed, why = not grave and heard and score >= PASS, _why(names, heard, aimed, score)
    return Outcome(card=exercise.id, turn=turn, grade=grade, score=score, passed=passed, why=why, trained=trained)


def _turn(parts: Parts, case: Scenario, start: Mind, reply: str) -> Turn:
    """The reply as the one turn of a talk; the customer says nothing back."""
    context = Context(
        customer=case.opening, customer_act=case.opening_act, scenario=case, anger=start.values["A"]
    )  # fmt: skip
    read = parts.appraiser.appraise(reply, context)
    step = mind.step(start, read, case, parts.rules)
    return Turn(
        n=1, customer=case.opening, reply=reply, appraisal=read, mind=step.mind, changes=step.changes, act=step.act,
        answer=Utterance(text=""), at=parts.clock(),
    )  # fmt: skip


def _why(grave: list[str], heard: bool, aimed: bool, score: float) -> str:
    if grave:
        return f"里面有「{'」「'.join(dict.fromkeys(grave))}」，客户听到这一句，别的就听不进去了。"
    if score >= PASS and heard:
        return "接住了，可以往下谈。"
    if score >= PASS:
        return AIMLESS if aimed else UNHEARD
    return "没有说重话，可也还没有接到他心里去。"


def _said_before(parts: Parts, owner: str, card: str, reply: str) -> bool:
    """Whether the same words were given to another customer: a reply that fits everybody has heard nobody."""
    others = (p.said for p in parts.practice.all(owner) if p.card != card)
    return len(reply) > SHORT and any(same(reply, said) for said in others)


def choose(
    parts: Parts, owner: str, weak: Mapping[str, float], deck: str = "",
    skip: Collection[str] = (), trains: Collection[str] = (),
) -> str:  # fmt: skip
    """The id of the question most worth asking now, of one deck or for some codes if given; not those skipped."""
    asked = [e for e in decks(parts).exercises.values() if deck in ("", e.deck)]
    asked = [e for e in asked if not trains or set(trains) & set(e.card.trains)] or asked
    others = sorted([e for e in asked if e.id not in skip] or asked, key=lambda e: e.case.difficulty)  # easy ones first
    return notebook.order({e.id: e.card.trains for e in others}, parts.practice.all(owner), weak, parts.clock())[0]
