"""Documents one may cite: rules and concept cards, with the confidence of every section."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bot.records.base import Record


class Section(Record):
    """A place to cite. `conf` is empty in concept cards; C must never be shown as certain."""

    doc: str
    name: str
    conf: Literal["A", "B", "C", ""] = ""


class Document(Record):
    """A rule or a concept card. `superseded_by` names the documents that replaced a repealed one."""

    id: str = Field(pattern=r"^[RK]\d\d[a-z]?$")
    ref: str
    title: str
    short: str
    level: str = ""
    status: str = ""
    superseded_by: str = ""
    sections: tuple[Section, ...] = Field(min_length=1)
