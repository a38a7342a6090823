"""A customer in danger: only where trainers opened it, only after the warning, and an unheard cry stops the exercise."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from bot.appraisal import Appraiser
from bot.errors import LearnerError
from bot.parts import Parts
from bot.scenarios import Library
from bot.session import READ_IT, Session
from bot.settings import load_settings
from bot.voice.lines import load_bank
from tests.conftest import ROOT

METHOD = re.compile(r"跳|楼|药|绳|刀|割|煤气|河|江|桥|车轮|吊|炭|遗书|触电|安眠")
ROMANCE = re.compile(r"解脱了|天堂|永远安静|干干净净地走|一了百了")
HEARD = "立军大哥，征信的事先放一边，我现在最担心的是您。您是不是有过不想活了、伤害自己的念头？我哪儿都不去，就在这儿陪您，难受就打12356。"
DEAF = "征信是人行管的，改不了，您先把钱还上再说。"


@pytest.fixture
def parts(parts: Parts) -> Parts:
    """Real parts; replies read by the word rules alone, which is what decides here."""
    return replace(parts, appraiser=Appraiser(parts.library, use_network=False))


def test_the_warning_must_be_confirmed_and_trainers_may_close_the_case(parts: Parts) -> None:
    with pytest.raises(LearnerError, match="不想活"):
        Session.start(parts, "SC30")
    assert Session.start(parts, "SC30", confirmed=True).at_risk
    for setting in ("", "SC29"):
        closed = replace(parts, settings=load_settings(crisis_scenarios=setting, _env_file=None))
        with pytest.raises(LearnerError, match="HUASU_CRISIS_SCENARIOS"):
            Session.start(closed, "SC30", confirmed=True)
    assert not Session.start(parts, "SC20").at_risk


def test_no_other_case_and_no_persona_opens_it(library: Library) -> None:
    assert [s.id for s in library.scenarios.values() if s.traits.get("crisis_prone", 0) >= 0.5] == ["SC30"]
    assert not [p.id for p in library.personas.values() if "crisis_prone" in p.traits]


def test_a_cry_that_is_heard_goes_on(parts: Parts) -> None:
    session = Session.start(parts, "SC30", confirmed=True)
    turn = session.say(HEARD)
    assert any(t.code == "crisis_safety" for t in turn.appraisal.techniques)
    assert not session.ended and not session.debrief_due


def test_a_cry_that_is_not_heard_stops_and_asks_for_a_look_back(parts: Parts) -> None:
    session = Session.start(parts, "SC30", confirmed=True)
    turn = session.say(DEAF)
    assert turn.act.behaviour == "silence" and session.ended == "crisis_missed"
    assert turn.answer.text in {
        x for tier in load_bank(ROOT / "prompts" / "lines", "SC30").act("silence", "hot") for x in tier
    }
    assert session.debrief_due and session.finish().final <= 30
    Session.resume(parts, session.id).debrief("先放下账，叫他名字，问他是不是不想活了。")
    assert not Session.resume(parts, session.id).debrief_due
    assert parts.store.debrief(session.id).startswith("先放下账")


def test_reading_without_writing_is_enough(parts: Parts) -> None:
    session = Session.start(parts, "SC30", confirmed=True)
    session.say(DEAF)
    session.debrief("   ")
    assert not session.debrief_due and parts.store.debrief(session.id) == READ_IT


def test_no_way_is_named_and_nothing_is_made_beautiful() -> None:
    lines = yaml.safe_load((ROOT / "prompts" / "lines" / "SC30.yaml").read_text(encoding="utf-8"))
    common = yaml.safe_load((ROOT / "prompts" / "lines" / "common.yaml").read_text(encoding="utf-8"))
    said = [x for bank in (lines, common) for band in bank["acts"].get("crisis", {}).values() for x in band]
    assert len(said) >= 6
    assert not [x for x in said if METHOD.search(x) or ROMANCE.search(x)]
    case = (ROOT / "knowledge" / "cases" / "SC30.yaml").read_text(encoding="utf-8")
    assert "12356" in case and not METHOD.search(yaml.safe_load(case)["opening"])


def test_a_talk_begun_may_be_ended_after_trainers_close_the_case(tmp_path: Path, parts: Parts) -> None:
    session = Session.start(parts, "SC30", confirmed=True)
    closed = replace(parts, settings=load_settings(crisis_scenarios="", data_dir=tmp_path, _env_file=None))
    assert Session.resume(closed, session.id).say(HEARD).answer.text
