"""Builders for graded talks: turns from the gold files' labels, and small synthetic ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from bot.records import Act, Anti, Appraisal, Change, Mind, Scenario, Technique, Turn, Utterance, Violation
from bot.scenarios import Library

GOLD = sorted((Path(__file__).resolve().parent.parent / "evals" / "dialogues" / "gold").glob("*.yaml"))
START_MOODS = {"GD1": -33.5, "GD2": -36.8, "GD3": -26.5, "BD1": -23.2, "BD2": -4.8, "BD3": -30.2}
DEEP = {"disclose_L3", "cry_soften"}
CALM = {"A": 30.0, "G": 25.0, "S": 30.0, "X": 30.0, "T": 60.0, "H": 45.0, "C": 60.0, "D": 40.0}


def read(path: Path) -> dict[str, Any]:
    """One gold dialogue."""
    loaded: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return loaded


def gold_scenario(gold: dict[str, Any], library: Library) -> Scenario:
    """The gold dialogue's case, with its weights; a stand-in with its opening state where the case is not shipped."""
    base = library.scenarios.get(gold["scenario"])
    changes: dict[str, Any] = {"type": gold["weights_type"], "opening": gold["turns"][0]["customer"]}
    if base is None:
        base = library.scenarios["SC01"]
        changes |= {"id": gold["scenario"], "title": gold["id"], "wrong": (), "exemplary": "", "exemplary_key": ""}
        changes |= gold["start"]
    return base.model_copy(update=changes)


def gold_turns(gold: dict[str, Any], library: Library) -> tuple[Turn, ...]:
    """The labelled turns as stored turns."""
    turns: list[Turn] = []
    told: tuple[str, ...] = ()
    for i, labelled in enumerate(gold["turns"]):
        allowed = tuple(labelled["allowed_behaviours"])
        codes = {c["code"] for c in labelled["codes"]}
        told = _told(told, codes, set(allowed))
        after = gold["turns"][i + 1] if i + 1 < len(gold["turns"]) else None
        state = dict(labelled["state_after"])
        mind = Mind(
            reason=state.pop("R"), mood=state.pop("M"), stage=state.pop("stage"), values=state, turn=labelled["n"],
            told=told, ticket=bool(labelled.get("ticket")),
        )  # fmt: skip
        broken = (Change(variable="T", delta=-18, cause="promise_broken"),) if labelled.get("promise_broken") else ()
        turns.append(
            Turn(
                n=labelled["n"], customer=labelled["customer"], reply=labelled["learner"],
                appraisal=marks(library, labelled["learner"], labelled["codes"], labelled["customer_act"],
                                ticket=bool(labelled.get("ticket"))),
                mind=mind, changes=broken if i else (), act=_act(allowed, after),
                answer=Utterance(text=after["customer"] if after else ""),
            )
        )  # fmt: skip
    return tuple(turns)


def _told(told: tuple[str, ...], codes: set[str], allowed: set[str]) -> tuple[str, ...]:
    new = ("need_emotional",) if allowed & DEEP else ()
    new += ("need_business",) if "iceberg_dig" in codes and allowed & {"disclose_L2", "disclose_L3"} else ()
    return (*told, *(n for n in new if n not in told))


def _act(allowed: Sequence[str], after: dict[str, Any] | None) -> Act:
    said = after["customer_act"] if after else "accept" if "accept" in allowed else "complain"
    behaviour = "outburst" if "insult_outburst" in allowed else said
    return Act(behaviour=behaviour, customer_act=said, allowed=tuple(allowed))


def marks(library: Library, reply: str, codes: Sequence[dict[str, Any]], act: str, **more: Any) -> Appraisal:
    """An appraisal of a reply from labels; evidence that is elided in the label is cut to what the reply says."""
    tax = library.taxonomy
    techniques, antis, violations = [], [], []
    for label in codes:
        code, strength = label["code"], label.get("quality", 1.0)
        words = label.get("evidence", reply)
        words = words if words in reply else words.split("……")[0]
        at = {"code": code, "evidence": words, "start": reply.find(words)}
        if code in tax.techniques:
            techniques.append(Technique(quality=strength, **at))
        elif code in tax.antis:
            antis.append(Anti(severity=tax.antis[code].severity, intensity=strength, **at))
        else:
            violations.append(Violation(level=tax.violations[code].level, intensity=strength, **at))
    return Appraisal(
        techniques=tuple(techniques), antis=tuple(antis), violations=tuple(violations), customer_act=act, **more
    )


def turn(
    library: Library, n: int, reply: str, *codes: Any, act: str = "complain", customer: str = "你们一天打八个电话！",
    mood: float = -20.0, reason: float = 50.0, told: tuple[str, ...] = (), behaviour: str = "ask", settled: str = "",
    ends: bool = False, changes: tuple[Change, ...] = (), more: dict[str, Any] | None = None, **values: float,
) -> Turn:  # fmt: skip
    """A small synthetic turn. A code is a name or (name, strength) or (name, strength, evidence)."""
    given = [(c,) if isinstance(c, str) else c for c in codes]
    labels = [dict(zip(("code", "quality", "evidence"), c, strict=False)) for c in given]
    return Turn(
        n=n, customer=customer, reply=reply, appraisal=marks(library, reply, labels, act, **(more or {})),
        mind=Mind(values={**CALM, **values}, reason=reason, mood=mood, stage=2, turn=n, told=told, settled=settled),
        changes=changes, act=Act(behaviour=behaviour, customer_act=act, ends=ends), answer=Utterance(text="嗯。"),
    )  # fmt: skip


def good(library: Library, n: int, act: str = "complain", **more: Any) -> Turn:
    """A reply that paces an angry customer well."""
    return turn(library, n, "八个电话，换谁都得急。", ("pace_emotion", 1.2), ("pace_fact", 1.0), act=act, **more)
