"""What a trainer says about a talk, what its learner answers; the system's marks always stay beside it."""

from __future__ import annotations

from dataclasses import dataclass

from bot import privacy
from bot.classroom.watch import NOT_FOUND, allowed
from bot.errors import LearnerError
from bot.parts import Parts
from bot.records import DIMENSIONS, Actor, Appeal, Comment, Remark
from bot.replies import cleaned

LONGEST = 1000


@dataclass(frozen=True)
class Review:
    """Everything said about one talk."""

    comments: tuple[Comment, ...] = ()
    marks: tuple[Remark, ...] = ()
    appeals: tuple[Appeal, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.comments or self.marks or self.appeals)


def review(parts: Parts, actor: Actor, session_id: str) -> Review:
    """What was said about a talk: for its learner, and for his trainers. Raises `LearnerError` for others."""
    if not actor.id or parts.reviews.owner(session_id) != actor.id:
        if not actor.may("trainer"):
            raise LearnerError(NOT_FOUND)
        allowed(parts, actor, session_id)
    kept = parts.reviews
    return Review(kept.comments(session_id), kept.marks(session_id), kept.appeals(session_id))


def comment(parts: Parts, actor: Actor, session_id: str, n: int, text: str) -> None:
    """A trainer's words about turn `n` (0: the whole talk)."""
    owner = allowed(parts, actor, session_id)
    if not 0 <= n <= len(parts.store.turns(session_id)):
        raise LearnerError(f"没有第 {n} 轮。请选一轮再写。")
    said = _words(text, "评语")
    parts.reviews.comment(Comment(session=session_id, n=n, by_id=actor.id, by=actor.name, text=said, at=parts.clock()))
    parts.audit.note(actor, parts.clock(), "写评语", _name(parts, owner), f"{session_id} 第 {n} 轮")


def withdraw(parts: Parts, actor: Actor, session_id: str, comment_id: int) -> None:
    """Take back one's own words."""
    owner = allowed(parts, actor, session_id)
    parts.reviews.withdraw(session_id, comment_id, actor.id)
    parts.audit.note(actor, parts.clock(), "撤回评语", _name(parts, owner), session_id)


def mark(parts: Parts, actor: Actor, session_id: str, dimension: str, score: float, reason: str) -> None:
    """A trainer's mark for a dimension, with the reason; the system's own is kept beside it."""
    owner = allowed(parts, actor, session_id)
    report = parts.store.report(session_id, owner)
    if report is None:
        raise LearnerError("这场还没有报告，不能改分。等学员谈完再评。")
    if dimension not in DIMENSIONS or not 1 <= score <= 5:
        raise LearnerError("请选一个维度，分数在 1 到 5 之间。")
    system, why = report.dims.get(dimension), _words(reason, "理由")
    given = Remark(
        session=session_id, dimension=dimension, system=system, score=score, reason=why, by=actor.name,
        at=parts.clock(),
    )  # fmt: skip
    parts.reviews.mark(given)
    was = "不计" if system is None else f"{system:.1f}"
    parts.audit.note(
        actor, parts.clock(), "改评维度", _name(parts, owner), f"{session_id} {dimension} {was}→{score:g}：{why}"
    )


def appeal(parts: Parts, actor: Actor, session_id: str, text: str, dimension: str = "") -> None:
    """The learner's objection to his own report. One at a time."""
    if not actor.id or parts.reviews.owner(session_id) != actor.id:
        raise LearnerError("只能对自己的演练提申诉。请从“最近的演练”里打开自己的报告。")
    if parts.store.report(session_id, actor.id) is None:
        raise LearnerError("还没有报告，没有可以申诉的分数。谈完再看。")
    if any(not a.answered_at for a in parts.reviews.appeals(session_id)):
        raise LearnerError("您已经提过申诉，培训师还没有答复。等答复之后可以再提。")
    if dimension and dimension not in DIMENSIONS:
        raise LearnerError("请选一个维度，或者选“整场”。")
    said = _words(text, "申诉")
    parts.reviews.appeal(Appeal(session=session_id, dimension=dimension, text=said, at=parts.clock()))
    parts.audit.note(actor, parts.clock(), "申诉", actor.name, session_id)


def answer(parts: Parts, actor: Actor, session_id: str, appeal_id: int, text: str) -> None:
    """A trainer's answer to an objection."""
    owner = allowed(parts, actor, session_id)
    parts.reviews.answer(session_id, appeal_id, _words(text, "答复"), actor.name, parts.clock())
    parts.audit.note(actor, parts.clock(), "答复申诉", _name(parts, owner), session_id)


def _words(text: str, what: str) -> str:
    said = privacy.mask(cleaned(text))[0]
    if not said:
        raise LearnerError(f"{what}还没有写。写一两句再提交。")
    if len(said) > LONGEST:
        raise LearnerError(f"{what}有 {len(said)} 个字，超过了 {LONGEST} 字。请精简。")
    return said


def _name(parts: Parts, owner: str) -> str:
    user = parts.users.get(owner)
    return f"{user.name}（{user.login}）" if user else owner
