"""The base of every record and the fixed vocabularies."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

VARIABLES = ("A", "G", "S", "X", "T", "H", "C", "D")
"""愤怒 委屈 羞耻 焦虑 信任 希望 配合 执着, each 0–100."""

SLOTS = ("who", "what", "when", "where", "why", "which", "how", "how_much", "how_long")
"""The 6W3H slots a learner can ask about."""

DIMENSIONS = (
    "emotion", "pacing", "explain", "diagnosis", "solution", "negotiation", "compliance", "peak_end",
)  # fmt: skip

Band = Literal["boil", "hot", "warm", "cool", "calm"]
"""沸 ≥85, 热 70–84, 温 50–69, 凉 30–49, 平 <30 of anger."""

Confidence = Literal["A", "B", "C"]
"""A read in the official text, B reliable secondary source, C unverified."""

REPEALED = ("已废止", "窗口已关闭", "失效")
"""Standings of a document that no longer holds; anything else may be argued from."""

Mode = Literal["practice", "exam", "gate"]


class Record(BaseModel):
    """A value: frozen, strict about unknown keys, JSON in and out."""

    model_config = ConfigDict(frozen=True, extra="forbid")
