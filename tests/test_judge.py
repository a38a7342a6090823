"""The evaluator LLM adds verdicts; code keeps the totals. A verdict that did not parse is never a pass."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import yaml

from bot.grading.judge import Judge
from bot.model import Model
from bot.parts import Parts
from bot.session import Session
from tests.conftest import ROOT
from tests.fakes import DOWN, ScriptedModel

EMPATHY = "一天八个电话，手机一响心就往下沉，换谁都得急、都得委屈。这口气您先出，我听着。"
THREAT = "再不还就让公安上门抓你"
PROMPTS = ROOT / "prompts"
CRITERIA = [c["id"] for c in yaml.safe_load((PROMPTS / "criteria.yaml").read_text(encoding="utf-8"))["criteria"]]


def answer(ids: list[str], evidence: str = "一天八个电话", better: str = "", cites: list[str] | None = None) -> str:
    verdict = {"reason": "有", "passed": True, "evidence": evidence, "cites": cites or []}
    return json.dumps({**dict.fromkeys(ids, verdict), "better": better}, ensure_ascii=False)


def judged(parts: Parts, *answers: object) -> Session:
    session = Session.start(replace(parts, judge=Judge(ScriptedModel(*answers), PROMPTS)), "SC01")  # type: ignore[arg-type]
    session.say(EMPATHY)
    return session


def verdicts(session: Session) -> list[bool | None]:
    return [v.passed for v in session.judge(1).verdicts if v.source == "model"]


def test_verdicts_are_added_with_evidence_and_do_not_move_the_total(parts: Parts) -> None:
    plain = Session.start(parts, "SC01")
    plain.say(EMPATHY)
    session = judged(parts, answer(CRITERIA))
    assert verdicts(session) == [True] * len(CRITERIA)
    assert session.finish().final == plain.finish().final


@pytest.mark.parametrize(
    "given",
    [answer(CRITERIA[:-1]), answer([*CRITERIA, "extra"]), answer([]), DOWN],
    ids=["too few", "too many", "none", "down"],
)
def test_anything_else_is_unscored(parts: Parts, given: object) -> None:
    session = judged(parts, given)
    assert verdicts(session) == [None] * len(CRITERIA)
    assert session.finish().turns[0].coaching.point


def test_invented_evidence_and_citations_are_dropped(parts: Parts) -> None:
    session = judged(parts, answer(CRITERIA, evidence="他没说过的话", cites=["R99#invented"]))
    found = [v for v in session.judge(1).verdicts if v.source == "model"]
    assert all(v.passed is None and v.evidence == "" and v.citations == () for v in found)


def test_a_better_wording_that_breaks_a_rule_is_not_shown(parts: Parts) -> None:
    bad = judged(parts, answer(CRITERIA, better="您放心，利息我一定帮您全免掉，包在我身上。"))
    assert "包在我身上" not in bad.judge(1).coaching.better
    good = judged(parts, answer(CRITERIA, better="一天八个电话，您心里又急又委屈，换谁都受不了。您先说，我记着。"))
    assert good.judge(1).coaching.better.startswith("一天八个电话")


def test_samples_vote_and_their_spread_is_stored(parts: Parts) -> None:
    no = answer(CRITERIA).replace("true", "false")
    model = ScriptedModel(answer(CRITERIA), no, answer(CRITERIA))
    session = Session.start(replace(parts, judge=Judge(model, PROMPTS, samples=3)), "SC01")
    session.say(EMPATHY)
    found = [v for v in session.judge(1).verdicts if v.source == "model"]
    assert {(v.passed, v.votes) for v in found} == {(True, (2, 1, 0))}
    tied = Session.start(replace(parts, judge=Judge(ScriptedModel(answer(CRITERIA), no), PROMPTS, samples=2)), "SC01")
    tied.say(EMPATHY)
    assert {v.passed for v in tied.judge(1).verdicts if v.source == "model"} == {None}


def test_a_label_the_model_denies_is_kept_for_the_trainer_and_changes_no_score(parts: Parts) -> None:
    plain = Session.start(parts, "SC01")
    plain.say(THREAT)
    judge = Judge(ScriptedModel(), PROMPTS, parts.library.taxonomy)
    labels = [c.id for c in judge.criteria(plain.turns[0]) if c.rules]
    assert labels
    denying = answer([*CRITERIA, *labels], evidence="").replace("true", "false")
    session = Session.start(
        replace(parts, judge=Judge(ScriptedModel(denying), PROMPTS, parts.library.taxonomy)), "SC01"
    )
    session.say(THREAT)
    assert [v.id for v in session.judge(1).verdicts if v.disputed] == labels
    assert session.finish().final == plain.finish().final and session.finish().fatal


@pytest.mark.model
def test_a_real_llama_server_is_asked_by_schema_and_never_passes_by_accident(parts: Parts, llama: str) -> None:
    model = Model("tiny", base_url=llama, budget=120, retries=0, temperature=0.0, max_tokens=500)
    session = Session.start(replace(parts, judge=Judge(model, PROMPTS)), "SC01")
    session.say(EMPATHY)
    found = [v for v in session.judge(1).verdicts if v.source == "model"]
    assert [v.id for v in found] == CRITERIA
    assert all(v.passed is None or v.passed is False or v.evidence in EMPATHY for v in found)
    assert session.finish().final > 0
