"""A version of a case or a persona as trainers make them, and what is wrong with it."""

from __future__ import annotations

from typing import Any, Literal

from bot.records.base import Record

ContentKind = Literal["scenario", "persona"]
Status = Literal["draft", "published", "archived"]


class Version(Record):
    """One version. Only a draft's body can change; `rev` counts its saves so that two windows cannot overwrite."""

    kind: ContentKind
    id: str
    n: int
    status: Status
    body: dict[str, Any]
    origin: str = ""
    author: str = ""
    reason: str = ""
    created_at: str = ""
    decided_by: str = ""
    decided_at: str = ""
    rev: int = 0


class Problem(Record):
    """One thing wrong with a body: the field by key and by its Chinese name, and what to do about it."""

    field: str
    label: str
    message: str

    def __str__(self) -> str:
        return f"{self.label}：{self.message}" if self.label else self.message
