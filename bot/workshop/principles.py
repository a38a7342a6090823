"""A trainer's word on a line of the customer: 赞 or 不像, and why. Kept with the case or persona, applied by both voices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from bot.errors import LearnerError
from bot.records import Principle, Turn

KIND_NAMES = {"like": "赞", "unlike": "不像"}
MOST = 30


def from_line(
    kind: Literal["like", "unlike"], turn: Turn | None, words: str, why: str, better: str, body: Mapping[str, Any]
) -> Principle:
    """A named principle from a line of a trial talk. `words` are the whole line or the few that are wrong."""
    words, why, better = words.strip(), why.strip(), better.strip()
    if not words and not why:
        raise LearnerError("请写出哪几个字不像，或者写一句原因。")
    if kind == "unlike" and not why:
        raise LearnerError("请写一句为什么不像，例如“他念过书，不会这样骂人”。别的培训师要看得懂。")
    name = f"{KIND_NAMES[kind]}：{(why or words)[:16]}"
    taken = {str(p.get("name")) for p in listed(body)}
    n = 2
    unique = name
    while unique in taken:
        unique, n = f"{name}（{n}）", n + 1
    act = turn.act if turn else None
    return Principle(
        name=unique, kind=kind, line=words[:200], why=why[:200], better=better[:200],
        behaviour=act.behaviour if act else "", facts=act.facts if act else (),
    )  # fmt: skip


def listed(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The principles of a body, as they stand."""
    found = body.get("principles") or []
    return [dict(p) for p in found if isinstance(p, Mapping)]


def added(body: Mapping[str, Any], principle: Principle) -> dict[str, Any]:
    """The body with one more principle."""
    if len(listed(body)) >= MOST:
        raise LearnerError(f"已经有 {MOST} 条原则了。请先合并或删掉几条，再加新的。")
    return {**body, "principles": [*listed(body), principle.model_dump(mode="json", exclude_defaults=True)]}


def changed(body: Mapping[str, Any], index: int, **update: str) -> dict[str, Any]:
    """The body with some words of one principle replaced."""
    found = listed(body)
    found[index] = {**found[index], **update}
    return {**body, "principles": found}


def removed(body: Mapping[str, Any], index: int) -> dict[str, Any]:
    """The body without one principle."""
    found = listed(body)
    return {**body, "principles": found[:index] + found[index + 1 :]}
