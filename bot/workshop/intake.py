"""From a pasted record of a complaint to a draft: masked first, then read by a model or by plain rules.

Nothing unmasked leaves this file. Whatever was not in the record is a suggestion and named as such, to be confirmed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from bot.errors import LearnerError, ModelError
from bot.grading.judge import AsksTyped
from bot.model import Message
from bot.prompts import Prompt, fence
from bot.records import SLOTS, Record
from bot.scenarios import Library
from bot.workshop import extract, masking, starts

SHORTEST, LONGEST = 20, 8000
RECORD = "投诉记录"
FAILED = "模型没有整理出来，下面是按规则整理的。（{reason}）"


class Draft(Record):
    """A body to confirm: the record as it was masked, what was masked, and which fields are only suggestions."""

    body: dict[str, Any]
    record: str
    masked: tuple[str, ...] = ()
    suggested: tuple[str, ...] = ()
    by_model: bool = False
    notice: str = ""


class _Facts(BaseModel):
    who: str
    what: str
    when: str
    where: str
    why: str
    which: str
    how: str
    how_much: str
    how_long: str


class _Answer(BaseModel):
    """What a model makes of a record."""

    model_config = ConfigDict(extra="ignore")
    title: str
    type: str
    channel: str = "电话"
    name: str
    gender: Literal["男", "女"]
    age: int = Field(ge=18, le=100)
    job: str
    product: str
    balance: int = Field(ge=0)
    overdue_days: int = Field(ge=0)
    opening: str
    opening_act: str = "complain"
    demand: str
    need_business: str
    need_emotional: str
    facts: _Facts
    offer: list[str]
    exemplary: str
    exemplary_key: str
    guessed: list[str] = Field(default_factory=list)


def read(text: str, library: Library, prompts: Path, model: AsksTyped | None = None) -> Draft:
    """A draft from a pasted record. Raises `LearnerError` when there is too little or too much of it."""
    record = text.strip()
    if len(record) < SHORTEST:
        raise LearnerError("内容太短，看不出是怎么回事。请贴上一段投诉经过（几句话就行），或者从空白开始。")
    if len(record) > LONGEST:
        raise LearnerError(f"内容有 {len(record)} 个字，超过了 {LONGEST} 字。请只贴和这位客户有关的一段。")
    masked, kinds = masking.mask(record)
    plain, suggested = extract.body(masked, library)
    draft = Draft(body=plain, record=masked, masked=kinds, suggested=suggested)
    if model is None:
        return draft
    try:
        return _by_model(draft, library, prompts, model)
    except ModelError as error:
        return draft.model_copy(update={"notice": FAILED.format(reason=error)})


def _by_model(draft: Draft, library: Library, prompts: Path, model: AsksTyped) -> Draft:
    types = "、".join(f"{code}（{t['name_zh']}）" for code, t in library.rubric["scenario_types"].items())
    policies = "、".join(f"{p.id} {p.name}" for p in library.policies.values() if p.authority != "—")
    system = Prompt(prompts / "draft.md").fill({"types": types, "policies": policies})
    said = model.ask_as("draft", [Message("system", system), Message("user", fence(RECORD, draft.record))], _Answer)
    kind = said.type if said.type in library.rubric["scenario_types"] else draft.body["type"]
    offer = [p for p in said.offer if p in library.policies and library.policies[p].authority != "—"]
    act = said.opening_act if said.opening_act in library.taxonomy.customer_acts else "complain"
    written = {k: masking.mask(v)[0] for k, v in said.facts.model_dump().items()}
    texts = {
        k: masking.mask(getattr(said, k).strip())[0]
        for k in ("title", "opening", "demand", "need_business", "need_emotional", "exemplary", "exemplary_key")
    }
    body = {
        **draft.body, **starts.usual(library, kind), **texts, "init": draft.body["init"], "type": kind,
        "channel": said.channel or "电话", "opening_act": act if act != "crisis" else "complain",
        "profile": {k: getattr(said, k) for k in ("name", "gender", "age", "job", "product", "balance", "overdue_days")},
        "facts": {slot: written[slot] for slot in SLOTS}, "offer": offer or draft.body["offer"],
    }  # fmt: skip
    known = {*texts, *(f"facts.{s}" for s in SLOTS), *(f"profile.{k}" for k in body["profile"])}
    guessed = {f"facts.{g}" if g in SLOTS else f"profile.{g}" if g in body["profile"] else g for g in said.guessed}
    return draft.model_copy(
        update={"body": body, "by_model": True, "suggested": tuple(sorted((guessed & known) | {"profile.name"}))}
    )
