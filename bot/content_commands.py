"""What `huasu persona …` does: check, compare, export and import cases and personas, as files or as stored versions."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import track

from bot.errors import ContentError, LearnerError
from bot.parts import Parts
from bot.records import LOCAL_ACTOR, ContentKind, Problem
from bot.settings import get_settings
from bot.workshop import Workshop, title_of, transfer

out, err = Console(), Console(stderr=True)
_STORED = re.compile(r"^([A-Za-z][A-Za-z0-9-]*)(?:@(\d+|draft|builtin))?$")


def _desk() -> Workshop:
    return Workshop(Parts.open(get_settings()), LOCAL_ACTOR)


def validate(targets: Sequence[str], as_json: bool) -> None:
    """Check files, folders, or stored versions; all built-in ones when nothing is named. Raises when one is wrong."""
    desk = _desk()
    found: list[dict[str, Any]] = []
    for name, kind, body in track(
        list(_named(desk, targets)), description="检查中", console=err, disable=as_json or not err.is_terminal
    ):
        wrong = desk.problems(kind, body)
        found.append({"name": name, "kind": kind, "ok": not wrong, "problems": [_flat(p) for p in wrong]})
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
    else:
        for one in found:
            out.print(escape(f"{'可用' if one['ok'] else '不可用'}　{one['name']}"), soft_wrap=True)
            for p in one["problems"]:
                out.print(escape(f"    {p['message']}"), soft_wrap=True)
    bad = [str(one["name"]) for one in found if not one["ok"]]
    if bad:
        raise ContentError(f"{len(bad)} 份不可用：{'、'.join(bad[:8])}。请按上面的提示改。")


def _flat(p: Problem) -> dict[str, str]:
    return {"field": p.field, "message": str(p)}


def diff(old: str, new: str, as_json: bool) -> None:
    """What changed between two files or stored versions, in words."""
    desk = _desk()
    (_, kind, before), (_, other, after) = _one(desk, old), _one(desk, new)
    if kind != other:
        raise LearnerError("一份是场景，一份是人设，没法比较。")
    found = desk.differences(kind, before, after)
    if as_json:
        print(json.dumps([d.model_dump() for d in found], ensure_ascii=False))
    elif not found:
        out.print("没有不同。")
    for d in () if as_json else found:
        out.print(escape(str(d)), soft_wrap=True)


def export(targets: Sequence[str], form: str, target: Path | None) -> None:
    """Write cases or personas as YAML, a course pack, or a character card."""
    desk = _desk()
    items = [(kind, body) for _, kind, body in _named(desk, targets)]
    if not items:
        raise LearnerError("要导出哪些？例：huasu persona export SC01 hot-tempered --format zip --out 课程包.zip。")
    if form == "card" and (len(items) != 1 or items[0][0] != "persona"):
        raise LearnerError("角色卡一次只能导出一个人设。例：huasu persona export merchant --format card。")
    if form == "zip" and target is None:
        raise LearnerError("课程包是二进制文件，请用 --out 指定写到哪里。")
    content = content_of(items, form)
    if target is None:
        sys.stdout.buffer.write(content)
        return
    try:
        target.write_bytes(content)
    except OSError:
        raise LearnerError(f"写不了 {target}。请检查路径和权限。") from None
    err.print(escape(f"已写入 {target}（{len(items)} 份）。"), soft_wrap=True)


def content_of(items: Sequence[tuple[ContentKind, Mapping[str, Any]]], form: str) -> bytes:
    """The file of some cases and personas: yaml, zip or card."""
    if form == "zip":
        return transfer.as_pack(items)
    if form == "card":
        return transfer.as_card(items[0][1]).encode()
    return (transfer.as_yaml(*items[0]) if len(items) == 1 else transfer.as_bundle(items)).encode()


def bring_in(paths: Sequence[Path], as_new_version: bool, publish: bool, reason: str, as_json: bool) -> None:
    """Take files in as drafts, and publish them when asked to."""
    desk = _desk()
    items = [x for path in paths for x in transfer.read(_bytes(path), path.name)]  # all are read before any is kept
    made = transfer.take_in(desk, items, as_new_version=as_new_version)
    rows = []
    for version, said in made:
        done = desk.publish(version, reason) if publish else version
        rows.append({"kind": done.kind, "id": done.id, "n": done.n, "status": done.status, "message": said})
    if as_json:
        print(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        out.print(escape(f"{row['message']}{'已发布。' if publish else ''}"), soft_wrap=True)


def _named(desk: Workshop, targets: Sequence[str]) -> Iterator[tuple[str, ContentKind, dict[str, Any]]]:
    if not targets:
        kinds: tuple[ContentKind, ...] = ("scenario", "persona")
        for kind in kinds:
            for item in desk.items(kind):
                body = desk.in_use(kind, item.id)
                if body is not None:
                    yield f"{item.id} {title_of(kind, body)}", kind, body
        return
    for target in targets:
        path = Path(target)
        if path.is_dir():
            for file in sorted(path.glob("*.yaml")):
                yield from _of_file(file)
        elif path.is_file():
            yield from _of_file(path)
        else:
            yield _stored(desk, target)


def _one(desk: Workshop, target: str) -> tuple[str, ContentKind, dict[str, Any]]:
    found = list(_named(desk, [target]))
    if len(found) != 1:
        raise LearnerError(f"{target} 里有 {len(found)} 份内容，比较时每边只能有一份。")
    return found[0]


def _of_file(path: Path) -> Iterator[tuple[str, ContentKind, dict[str, Any]]]:
    for item in transfer.read(_bytes(path), path.name, shaped=False):
        yield f"{item.source}", item.kind, item.body


def _stored(desk: Workshop, target: str) -> tuple[str, ContentKind, dict[str, Any]]:
    match = _STORED.match(target.strip())
    if match:
        content_id, which = match[1], match[2] or ""
        kind: ContentKind = "persona" if content_id == content_id.lower() else "scenario"
        files = desk.parts.library.scenarios if kind == "scenario" else desk.parts.library.personas
        stored = desk.versions(kind, content_id)
        body = desk.in_use(kind, content_id) if not which else None
        if which == "builtin" and content_id in files:
            body = files[content_id].model_dump(mode="json", exclude_defaults=True)
        elif which:
            body = next((v.body for v in stored if which in (str(v.n), v.status)), None)
        elif body is None and stored:
            body = stored[0].body
        if body is not None:
            return target, kind, body
    raise LearnerError(
        f"没有 {target}：不是文件，也不是已有的编号。编号例：SC01、SC01@2、SC01@draft、SC01@builtin、merchant。"
    )


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        raise LearnerError(f"读不了 {path}。请检查路径和权限。") from None
