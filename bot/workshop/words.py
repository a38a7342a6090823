"""What changed between two versions, field by field, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot.records import ContentKind, Policy, Record
from bot.workshop import fields

SKIPPED = ("reworded", "card")
EMPTY = "（空）"


class Difference(Record):
    """One changed field: its Chinese name, what stood there and what stands there now."""

    field: str
    label: str
    before: str
    after: str
    note: str = ""

    def __str__(self) -> str:
        return f"{self.label}：{self.note or f'{self.before} → {self.after}'}"


def differences(
    kind: ContentKind, old: Mapping[str, Any], new: Mapping[str, Any], policies: Mapping[str, Policy]
) -> tuple[Difference, ...]:
    """Every field that differs, in the order of the form."""
    order = list(fields.SCENARIO if kind == "scenario" else fields.PERSONA)
    keys = [k for k in (*order, *sorted({*old, *new} - set(order))) if k not in SKIPPED and (k in old or k in new)]
    return tuple(d for key in keys for d in _compared(kind, key, old.get(key), new.get(key), policies))


def _compared(kind: ContentKind, key: str, old: Any, new: Any, policies: Mapping[str, Policy]) -> Iterator[Difference]:
    if isinstance(old, Mapping) or isinstance(new, Mapping):
        before, after = old or {}, new or {}
        if not (isinstance(before, Mapping) and isinstance(after, Mapping)):
            yield _plain(kind, key, before, after)
            return
        for part in dict.fromkeys([*before, *after]):
            yield from _compared(kind, f"{key}.{part}", before.get(part), after.get(part), policies)
    elif isinstance(old, list | tuple) or isinstance(new, list | tuple):
        yield from _listed(kind, key, list(old or []), list(new or []), policies)
    elif (old or None) != (new or None) and not _same_number(old, new):
        yield _plain(kind, key, old, new)


def _same_number(old: Any, new: Any) -> bool:
    numbers = all(isinstance(x, int | float) for x in (old, new))
    return numbers and float(old) == float(new)


def _plain(kind: ContentKind, key: str, old: Any, new: Any) -> Difference:
    note = ""
    if all(isinstance(x, int | float) and not isinstance(x, bool) for x in (old, new)):
        note = f"{old:g} → {new:g}（{'调高' if new > old else '调低'} {abs(new - old):g}）"
    return Difference(field=key, label=fields.label(kind, key), before=_text(old), after=_text(new), note=note)


def _listed(
    kind: ContentKind, key: str, old: Sequence[Any], new: Sequence[Any], policies: Mapping[str, Policy]
) -> Iterator[Difference]:
    name = fields.label(kind, key)
    gone, added = [x for x in old if x not in new], [x for x in new if x not in old]
    for word, items in (("去掉", gone), ("新增", added)):
        for item in items:
            text = _item(key, item, policies)
            before, after = (text, EMPTY) if word == "去掉" else (EMPTY, text)
            yield Difference(field=key, label=name, before=before, after=after, note=f"{word}“{text}”")
    if not gone and not added and list(old) != list(new):
        yield Difference(field=key, label=name, before=_text(old), after=_text(new), note="次序变了")


def _item(key: str, item: Any, policies: Mapping[str, Policy]) -> str:
    if key == "offer" and item in policies:
        return f"{item} {policies[item].name}"
    if isinstance(item, Mapping):
        return str(item.get("name") or item.get("reply") or item.get("customer") or item.get("question") or _text(item))
    return _text(item)


def _text(value: Any) -> str:
    if value in (None, "", [], {}, ()):
        return EMPTY
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list | tuple):
        return "、".join(_text(x) for x in value)
    if isinstance(value, Mapping):
        return "，".join(f"{k} {_text(v)}" for k, v in value.items())
    return str(value)
