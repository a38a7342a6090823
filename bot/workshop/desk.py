"""The trainer's desk: start a case or persona, edit its draft, publish, archive, roll back.

Every change names who made it. A draft may be half done; what is published is checked again at the last moment, with
everything it would stand beside, so that nothing invalid can reach a session. Bodies of published versions never
change: going back means publishing the old words as a new version.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from typing import Any

from bot import cases, shelf
from bot.errors import ConflictError, ContentError, ForbiddenError, LearnerError, SetupError
from bot.parts import Parts
from bot.records import Actor, ContentKind, Problem, Record, Version
from bot.scenarios import Library, digest
from bot.workshop import starts
from bot.workshop.check import problems
from bot.workshop.fields import KINDS
from bot.workshop.words import Difference, differences

BUILTIN = "内置"
REAL_REASON = 8
"""The fewest characters of a reason to publish what got worse."""
LETTERS = "abcdefghijklmnopqrstuvwxyz"


class Item(Record):
    """One line of the trainer's list: a case or persona and what versions of it there are."""

    kind: ContentKind
    id: str
    title: str
    builtin: bool
    published: int = 0
    draft: int = 0
    changed_at: str = ""
    author: str = ""


class Workshop:
    """A trainer at work. Raises `ForbiddenError` for anybody who is not one."""

    def __init__(self, parts: Parts, actor: Actor) -> None:
        if not actor.may("trainer"):
            raise ForbiddenError("工坊只对培训师开放。请用培训师账号登录，或请管理员给您培训师的角色。")
        if parts.contents is None:
            raise SetupError("没有连上数据库，工坊用不了。请运行 huasu doctor 查看原因。")
        self.parts, self.actor, self.contents = parts, actor, parts.contents

    @property
    def library(self) -> Library:
        """What new sessions see now."""
        return self.parts.current

    # ── reading ──────────────────────────────────────────────────────────────────────────────────────

    def items(self, kind: ContentKind) -> tuple[Item, ...]:
        """Every case or persona, built-in or made here, own ones first."""
        now = [v for v in self.contents.current() if v.kind == kind]
        drafts = {v.id: v for v in now if v.status == "draft"}
        live = {v.id: v for v in now if v.status == "published"}
        files = self._files(kind)
        put_away = {i: self.versions(kind, i)[0] for i in self.contents.ids(kind) - {*drafts, *live}}
        last = {**put_away, **live, **drafts}
        found = [_item(kind, i, files.get(i), last.get(i), live.get(i), drafts.get(i))
                 for i in dict.fromkeys([*last, *files])]  # fmt: skip
        return tuple(sorted(found, key=lambda i: (i.builtin, i.id)))

    def versions(self, kind: ContentKind, content_id: str) -> tuple[Version, ...]:
        """Every stored version, newest first."""
        return self.contents.versions(kind, content_id)

    def draft(self, kind: ContentKind, content_id: str) -> Version | None:
        """The draft being edited, if there is one."""
        return self.contents.draft(kind, content_id)

    def in_use(self, kind: ContentKind, content_id: str) -> dict[str, Any] | None:
        """The body that new sessions get now: the published version, else the built-in file."""
        holder: Mapping[str, Record] = self.library.scenarios if kind == "scenario" else self.library.personas
        return plain(holder[content_id]) if content_id in holder else None

    def problems(self, kind: ContentKind, body: Mapping[str, Any]) -> tuple[Problem, ...]:
        """Everything that keeps a body from being published."""
        return problems(kind, body, self.library, self.parts.rules)

    def differences(self, kind: ContentKind, old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Difference, ...]:
        """What changed, in words."""
        return differences(kind, old, new, self.parts.library.policies)

    # ── making ───────────────────────────────────────────────────────────────────────────────────────

    def blank(self, kind: ContentKind) -> Version:
        """A draft with everything still to be written, except sensible starting numbers."""
        body = starts.blank_scenario(self.library) if kind == "scenario" else starts.blank_persona()
        return self._fresh(kind, body, "从空白开始")

    def copied(self, kind: ContentKind, source_id: str) -> Version:
        """A draft of a new case or persona that begins as a copy of what is in use under `source_id`."""
        body = self.in_use(kind, source_id)
        if body is None:
            raise LearnerError(f"没有可以复制的{KINDS[kind]} {source_id}。请从列表里选一个。")
        if kind == "scenario":
            body.update(lines=body.get("lines") or source_id, outline_ref=starts.OWN, extra_refs=[])
            body["title"] = f"{body['title']}（副本）"
        else:
            body["name"] = f"{body['name']}（副本）"
        return self._fresh(kind, body, f"复制自 {source_id}")

    def made(self, kind: ContentKind, body: Mapping[str, Any], origin: str, content_id: str = "") -> Version:
        """A draft from a finished body, e.g. from a record of a complaint or an imported file."""
        return self._start(kind, content_id, dict(body), origin) if content_id else self._fresh(kind, body, origin)

    def revise(self, kind: ContentKind, content_id: str, n: int = 0) -> Version:
        """A draft to change what is in use (or version `n`); the draft that exists already, when there is one."""
        existing = self.draft(kind, content_id)
        if existing is not None:
            return existing
        stored = {v.n: v for v in self.versions(kind, content_id)}
        body = stored[n].body if n in stored else self.in_use(kind, content_id)
        if body is None and stored:
            body = stored[max(stored)].body
        if body is None:
            raise LearnerError(f"没有{KINDS[kind]} {content_id}。请从列表里选一个。")
        origin = f"改自第 {n} 版" if n in stored else f"改自{'在用的版本' if stored else BUILTIN}"
        return self._start(kind, content_id, copy.deepcopy(dict(body)), origin)

    def save(self, draft: Version, body: Mapping[str, Any]) -> Version:
        """Keep a draft's new body. Raises `ConflictError` when another window was faster."""
        if draft.status != "draft":
            raise LearnerError("已发布或归档的版本不能改。请点“改一版”，在新的草稿上改。")
        fixed = {**body, "id": draft.id}
        if draft.kind == "scenario":
            fixed["reworded"] = self._reworded(fixed)
        if fixed == draft.body:
            return draft
        return self.contents.save(draft, fixed, self.parts.clock())

    def discard(self, draft: Version) -> None:
        """Throw a draft away."""
        self.contents.discard(draft)

    # ── deciding ─────────────────────────────────────────────────────────────────────────────────────

    def publish(self, draft: Version, reason: str, worse: Sequence[str] = ()) -> Version:
        """Give a draft to new sessions. `worse` is what its regression found; it is kept beside the reason.

        Raises `ContentError` with everything that is wrong, `LearnerError` without a reason, or when something got
        worse and the reason is too short to be one.
        """
        why = _why(reason)
        if worse and len(why) < REAL_REASON:
            raise LearnerError(f"回归里有变差的地方，请写清为什么仍要发布（至少 {REAL_REASON} 个字）。")
        self._admit(draft.kind, draft.id, draft.body)
        noted = f"{why}（发布时已知：{'；'.join(worse)}）"[:1000] if worse else why
        return self.contents.publish(draft, self.actor.name, self.parts.clock(), noted)

    def archive(self, version: Version, reason: str) -> None:
        """Take a version out of use; a built-in case shows its original again. Raises `ContentError` if others need it."""
        if version.status == "published":
            others = [v for v in self._published() if (v.kind, v.id) != (version.kind, version.id)]
            self._stand(others)
        self.contents.archive(version, self.actor.name, self.parts.clock(), _why(reason))

    def roll_back(self, kind: ContentKind, content_id: str, n: int, reason: str) -> Version:
        """Publish an old version again, as a new version with the same words."""
        old = next((v for v in self.versions(kind, content_id) if v.n == n and v.status != "draft"), None)
        if old is None:
            raise LearnerError(f"没有第 {n} 版可以退回。请在版本列表里选一个发布过的。")
        self._admit(kind, content_id, old.body)
        now = self.parts.clock()
        return self.contents.republish(
            old.model_copy(
                update={
                    "status": "published", "origin": f"退回第 {n} 版", "author": old.author, "reason": _why(reason),
                    "created_at": now, "decided_by": self.actor.name, "decided_at": now, "rev": 0,
                }
            )
        )  # fmt: skip

    def overlaid(self, kind: ContentKind, body: Mapping[str, Any]) -> Library:
        """The library as it would be with this body in it: for trial talks and regressions. Raises `ContentError`."""
        return self._admit(kind, str(body.get("id", "")), body)

    def fingerprint(self, body: Mapping[str, Any]) -> str:
        """A short hash of a body: whether a regression still speaks of it."""
        return digest(json.dumps(body, ensure_ascii=False, sort_keys=True).encode())

    def free_id(self, kind: ContentKind) -> str:
        """An id nobody has used: WS01, WS02 … for cases, own-a, own-b … for personas."""
        taken = self.contents.ids(kind) | set(self._files(kind))
        return next(i for i in _ids(kind) if i not in taken)

    # ── inside ───────────────────────────────────────────────────────────────────────────────────────

    def _fresh(self, kind: ContentKind, body: Mapping[str, Any], origin: str) -> Version:
        """A draft under a new id; when somebody else takes the id at the same moment, under the next one."""
        for _ in range(3):
            try:
                return self._start(kind, self.free_id(kind), dict(body), origin)
            except ConflictError:
                continue
        return self._start(kind, self.free_id(kind), dict(body), origin)

    def _start(self, kind: ContentKind, content_id: str, body: dict[str, Any], origin: str) -> Version:
        body = {**body, "id": content_id}
        if kind == "scenario":
            body["reworded"] = self._reworded(body)
        return self.contents.add(
            Version(kind=kind, id=content_id, n=0, status="draft", body=body, origin=origin[:80],
                    author=self.actor.name, created_at=self.parts.clock())
        )  # fmt: skip

    def _admit(self, kind: ContentKind, content_id: str, body: Mapping[str, Any]) -> Library:
        """The library with a body in it, once it and everything beside it is known to be sound."""
        wrong = self.problems(kind, body)
        if wrong:
            raise ContentError("还不能用，请先改好：" + "；".join(str(p) for p in wrong[:6]))
        new = Version(kind=kind, id=content_id, n=0, status="published", body=dict(body))
        others = [v for v in self._published() if (v.kind, v.id) != (kind, content_id)]
        return self._stand([*others, new])

    def _stand(self, versions: list[Version]) -> Library:
        """The library with these versions, every one of them still sound beside the others."""
        library = shelf.overlaid(self.parts.library, versions)
        before = self.library
        for persona in library.personas.values():
            found: list[str] = []
            cases.check_persona(persona, f"{persona.id}.yaml", library.vocabulary, library.scenarios, found)
            if found:
                raise ContentError(f"这样一来，人设“{persona.name}”就不能用了：{found[0]}请先改那个人设。")
        lost = [p.name for i, p in before.personas.items()
                if i not in library.personas and any(v.id == i and v.kind == "persona" for v in versions)]  # fmt: skip
        if lost:
            raise ContentError(f"这样一来，人设“{'、'.join(lost)}”就没有能用的场景了。请先改或归档那个人设。")
        return library

    def _published(self) -> list[Version]:
        return [v for v in self.contents.current() if v.status == "published"]

    def _files(self, kind: ContentKind) -> Mapping[str, Record]:
        return self.parts.library.scenarios if kind == "scenario" else self.parts.library.personas

    def _reworded(self, body: Mapping[str, Any]) -> list[str]:
        """The facts and needs that say something else than the case whose lines are spoken."""
        origin = self.parts.library.scenarios.get(str(body.get("lines") or body.get("id")))
        if origin is None:
            return []
        facts = body.get("facts") if isinstance(body.get("facts"), Mapping) else {}
        changed = [slot for slot, text in origin.facts.items() if (facts or {}).get(slot) != text]
        return changed + [k for k in ("need_business", "need_emotional") if body.get(k) != getattr(origin, k)]


def plain(record: Record) -> dict[str, Any]:
    """A record as a body: what differs from the defaults, in plain values."""
    data: dict[str, Any] = record.model_dump(mode="json", exclude_defaults=True)
    return data


def title_of(kind: ContentKind, body: Mapping[str, Any]) -> str:
    """What a case or persona is called."""
    return str(body.get("title" if kind == "scenario" else "name") or "（还没有名字）")


def _item(
    kind: ContentKind, content_id: str, file: Record | None, last: Version | None, live: Version | None,
    draft: Version | None,
) -> Item:  # fmt: skip
    name = str(getattr(file, "title" if kind == "scenario" else "name", ""))
    return Item(
        kind=kind, id=content_id, title=title_of(kind, last.body) if last and (live or draft or not file) else name,
        builtin=file is not None, published=live.n if live else 0, draft=draft.n if draft else 0,
        changed_at=(last.decided_at or last.created_at) if last else "", author=last.author if last else "",
    )  # fmt: skip


def _ids(kind: ContentKind) -> Iterator[str]:
    for n in count(1):
        yield f"WS{n:02d}" if kind == "scenario" else f"own-{_letters(n)}"


def _letters(n: int) -> str:
    text = ""
    while n:
        n, at = divmod(n - 1, len(LETTERS))
        text = LETTERS[at] + text
    return text


def _why(reason: str) -> str:
    text = re.sub(r"\s+", " ", reason).strip()
    if not text:
        raise LearnerError("请写一句为什么，以后的人要看得懂这次改动。")
    return text[:500]
