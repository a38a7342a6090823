"""Cases and personas in and out: YAML, a zip of a course pack, and Character Card V3 for personas."""

from __future__ import annotations

import copy
import io
import json
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import yaml

from bot.records import ContentKind, Record, Version
from bot.workshop.check import RECORDS, shape
from bot.workshop.desk import Workshop, title_of
from bot.workshop.fields import KINDS
from bot.workshop.files import RefusedError, json_of, unzipped, yaml_of

FORMAT = "huasu-bundle/1"
CARD, OURS = "chara_card_v3", "huasu"
MOST_ITEMS, CARD_LIMIT = 200, 65536
SCENARIO_MARK, PERSONA_MARK = "opening", "style"


class Incoming(Record):
    """One case or persona read from a file, sound in shape; `notice` says what was left out."""

    kind: ContentKind
    body: dict[str, Any]
    source: str
    notice: str = ""


def read(content: bytes, name: str, *, shaped: bool = True) -> tuple[Incoming, ...]:
    """What a file holds. Raises `RefusedError` with the reason; a pack is taken whole or not at all.

    `shaped` False lets ill-typed fields pass, for those who want to list everything that is wrong.
    """
    lower = name.lower()
    if lower.endswith(".zip") or content[:4] == b"PK\x03\x04":
        files = unzipped(content, name)
        found = [x for inner, data in sorted(files.items()) for x in _one(data, inner, shaped)]
    else:
        found = _one(content, name, shaped)
    if not found:
        raise RefusedError(f"{name} 里没有场景，也没有人设。请选由工坊导出的文件，或 YAML、角色卡 JSON。")
    if len(found) > MOST_ITEMS:
        raise RefusedError(f"{name} 里有 {len(found)} 份内容，超过 {MOST_ITEMS} 份，请分开导入。")
    return tuple(found)


def _one(content: bytes, name: str, shaped: bool) -> list[Incoming]:
    data = json_of(content, name) if name.lower().endswith(".json") else yaml_of(content, name)
    if isinstance(data, Mapping) and data.get("spec") == CARD:
        return [_from_card(data, name)]
    if isinstance(data, Mapping) and "items" in data and "format" in data:
        if data["format"] != FORMAT or not isinstance(data["items"], list):
            raise RefusedError(f"{name} 的格式是 {str(data['format'])[:40]}，这一版读不了（应是 {FORMAT}）。")
        return [_item(x, f"{name} 第 {n} 份", shaped) for n, x in enumerate(data["items"], 1)]
    return [_item({"kind": _kind(data, name), "body": data}, name, shaped)]


def _kind(data: Any, name: str) -> str:
    if isinstance(data, Mapping):
        if SCENARIO_MARK in data or "facts" in data:
            return "scenario"
        if PERSONA_MARK in data or "init_shift" in data:
            return "persona"
    raise RefusedError(f"{name} 看不出是场景还是人设：场景要有 opening，人设要有 style。")


def _item(item: Any, where: str, shaped: bool = True) -> Incoming:
    if not isinstance(item, Mapping) or item.get("kind") not in RECORDS or not isinstance(item.get("body"), Mapping):
        raise RefusedError(f"{where}：不是场景也不是人设，不接受。")
    kind: ContentKind = item["kind"]
    body = dict(item["body"])
    if shaped and (wrong := shape(kind, body)):
        raise RefusedError(f"{where}（{wrong[0].field}）{wrong[0]}不接受，请改好文件再导入。")
    return Incoming(kind=kind, body=body, source=where)


def _from_card(card: Mapping[str, Any], name: str) -> Incoming:
    data = card.get("data")
    if not isinstance(data, Mapping) or not isinstance(data.get("name"), str) or not data["name"].strip():
        raise RefusedError(f"{name}：角色卡里没有名字（data.name），不接受。")
    if len(json.dumps(card, ensure_ascii=False)) > CARD_LIMIT:
        raise RefusedError(f"{name}：角色卡太大（超过 64 KB 文字），不接受。请删掉大段设定和图片。")
    extensions = data.get("extensions")
    ours = extensions.get(OURS) if isinstance(extensions, Mapping) else None
    kept = _without_ours(card)
    if isinstance(ours, Mapping):
        return _item({"kind": "persona", "body": {**ours, "card": kept}}, name)
    text = "\n".join(str(data.get(k) or "") for k in ("personality", "description"))
    style = [s.strip()[:60] for s in re.split(r"[。；;\n!！]+", text) if s.strip()][:8]
    body = {
        "id": "imported", "name": data["name"].strip()[:30],
        "description": str(data.get("description") or data.get("personality") or "从角色卡导入。").strip()[:200],
        "style": style, "card": kept,
    }  # fmt: skip
    notice = "只取了名字、介绍和说话的样子；卡里的提示词、开场白不会给模型看，导出时原样带回。请在表单里补上性格。"
    return _item({"kind": "persona", "body": body}, name).model_copy(update={"notice": notice})


def _without_ours(card: Mapping[str, Any]) -> dict[str, Any]:
    kept = copy.deepcopy(dict(card))
    extensions = kept["data"].get("extensions")
    if isinstance(extensions, dict):
        extensions.pop(OURS, None)
    return kept


def take_in(
    desk: Workshop, items: Iterable[Incoming], *, as_new_version: bool = False
) -> tuple[tuple[Version, str], ...]:
    """Drafts of what was read, each with a word on it. An id that is taken gets a new one, unless it is to be a new version."""
    items = tuple(items)
    ids = [(i.kind, str(i.body["id"])) for i in items]
    if len(set(ids)) < len(ids):
        raise RefusedError("文件里有两份编号相同的内容，不知道该用哪一份。请改掉一个编号再导入。")
    busy = [i for kind, i in ids if as_new_version and desk.draft(kind, i)]
    if busy:
        raise RefusedError(f"{'、'.join(busy[:5])} 已经有草稿了。请先发布或放弃那份草稿，或者换编号导入。")
    made = []
    for item in items:
        wanted = str(item.body["id"])
        known = desk.in_use(item.kind, wanted) is not None or bool(desk.versions(item.kind, wanted))
        body = dict(item.body)
        keep = wanted != "imported" and (as_new_version or not known)
        if item.kind == "scenario" and not keep and wanted in desk.parts.library.scenarios:
            body["lines"] = body.get("lines") or wanted
        version = desk.made(item.kind, body, f"导入自 {item.source}", wanted if keep else "")
        said = f"{KINDS[item.kind]}“{title_of(item.kind, body)}”存为草稿 {version.id}"
        said += f"（{wanted} 已有，换了编号）" if known and not keep else ""
        made.append((version, f"{said}。{item.notice}"))
    return tuple(made)


# ── out ──────────────────────────────────────────────────────────────────────────────────────────────


def as_yaml(kind: ContentKind, body: Mapping[str, Any]) -> str:
    """One case or persona as a YAML file like the built-in ones."""
    order = ["id", *(k for k in RECORDS[kind].model_fields if k != "id")]
    plain = {k: body[k] for k in order if k in body and k not in ("card",)}
    return yaml.safe_dump(plain, allow_unicode=True, sort_keys=False, width=110)


def as_bundle(items: Sequence[tuple[ContentKind, Mapping[str, Any]]]) -> str:
    """Several in one YAML file."""
    data = {"format": FORMAT, "items": [{"kind": kind, "body": dict(body)} for kind, body in items]}
    return yaml.safe_dump(data, allow_unicode=True, sort_keys=False, width=110)


def as_pack(items: Sequence[tuple[ContentKind, Mapping[str, Any]]]) -> bytes:
    """A course pack: one YAML file each, in a zip."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as pack:
        for kind, body in items:
            pack.writestr(f"{'cases' if kind == 'scenario' else 'personas'}/{body['id']}.yaml", as_yaml(kind, body))
    return held.getvalue()


def as_card(body: Mapping[str, Any]) -> str:
    """A persona as a Character Card V3; what another program had put on the card stays as it was."""
    card = copy.deepcopy(dict(body.get("card") or {}))
    data = card.setdefault("data", {})
    for key in ("first_mes", "mes_example", "scenario", "system_prompt", "post_history_instructions", "creator",
                "creator_notes", "character_version"):  # fmt: skip
        data.setdefault(key, "")
    data.setdefault("tags", ["化诉"])
    data.setdefault("alternate_greetings", [])
    data.setdefault("group_only_greetings", [])
    data.update(name=body.get("name", ""), description=body.get("description", ""))
    data["personality"] = "；".join(body.get("style", []))
    extensions = data.setdefault("extensions", {})
    extensions[OURS] = {k: v for k, v in body.items() if k != "card"}
    card.update(spec=CARD, spec_version=card.get("spec_version", "3.0"))
    return json.dumps(card, ensure_ascii=False, indent=2)
