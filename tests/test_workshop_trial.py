"""Trial talks, principles and regressions: what a trainer says of a line changes what the customer says."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.errors import LearnerError
from bot.parts import NothingFound, Parts
from bot.records import LOCAL_ACTOR, Actor
from bot.session import Session
from bot.settings import load_settings
from bot.voice import ModelVoice
from bot.workshop import Workshop, principles, regress, trial
from tests.conftest import ROOT
from tests.endpoints import Endpoint, Reply, stream
from tests.fakes import ScriptedModel

REPLIES = (
    "一天八个电话，手机一响心就往下沉，换谁都得急、都得委屈。这口气您先出，我听着。",
    "您逾期47天了，今天能还多少？",
    "按规定办，我也没办法。",
)


@pytest.fixture
def desk(parts: Parts) -> Workshop:
    return Workshop(parts, LOCAL_ACTOR)


def talked(desk: Workshop, body: dict[str, Any]) -> trial.Trial:
    found = trial.Trial.start(desk, "scenario", body)
    for reply in REPLIES:
        found.say(reply)
    return found


def test_a_draft_can_be_tried_without_being_published(desk: Workshop) -> None:
    draft = desk.copied("scenario", "SC01")
    draft = desk.save(draft, {**draft.body, "opening": "又是你们！有完没完！"})
    found = talked(desk, draft.body)
    assert found.session.lines[0].text == "又是你们！有完没完！"
    assert desk.parts.store.history("local") == (), "a trial counts in nobody's history"
    again = trial.Trial.resume(desk, found.session.id)
    assert again.replies == REPLIES
    other = Workshop(desk.parts, Actor(name="别人", roles=("trainer",)))
    with pytest.raises(LearnerError):
        trial.Trial.resume(other, found.session.id)


def test_a_persona_is_tried_in_a_case(desk: Workshop) -> None:
    draft = desk.copied("persona", "hot-tempered")
    found = trial.Trial.start(desk, "persona", draft.body, scenario_id="SC01")
    assert found.session.snapshot.persona is not None and found.session.snapshot.persona.id == draft.id


def test_the_crisis_case_can_be_tried_by_a_trainer(desk: Workshop) -> None:
    closed = replace(desk.parts, settings=desk.parts.settings.model_copy(update={"crisis_scenarios": ""}))
    shut = Workshop(closed, LOCAL_ACTOR)
    draft = shut.revise("scenario", "SC30")
    assert trial.Trial.start(shut, "scenario", draft.body).session.at_risk
    with pytest.raises(LearnerError, match="没有开放"):
        Session.start(closed, "SC30", confirmed=True)


def test_a_line_marked_as_unlike_is_not_said_again_and_its_better_one_is(desk: Workshop) -> None:
    draft = desk.copied("scenario", "SC01")
    found = talked(desk, draft.body)
    turn = found.session.turns[1]
    wanted = "你就知道问钱，你问过我吃没吃饭吗？"
    said = principles.from_line("unlike", turn, turn.answer.text, "她不会这样说话", wanted, draft.body)
    draft = desk.save(draft, principles.added(draft.body, said))
    beside = trial.replay(found, "scenario", draft.body)
    assert beside[0].before == beside[0].after, "the other lines stay as they were"
    assert beside[1].differs and beside[1].after == wanted
    live = desk.publish(draft, "说话更像她")
    session = Session.start(desk.parts, live.id, seed=trial.SEED)
    for reply in REPLIES[:2]:
        session.say(reply)
    assert session.turns[1].answer.text == wanted


def test_a_few_words_marked_as_unlike_never_come_up(desk: Workshop) -> None:
    draft = desk.copied("scenario", "SC01")
    plain = "".join(t.answer.text for t in talked(desk, draft.body).session.turns)
    word = next(w for w in ("电话", "你们") if w in plain)
    body = principles.added(draft.body, principles.from_line("unlike", None, word, "不想再提", "", draft.body))
    for seed in range(6):
        library = desk.overlaid("scenario", body)
        parts = replace(desk.parts, library=library, contents=None)
        session = Session.start(parts, draft.id, seed=seed)
        for reply in REPLIES * 2:
            if not session.ended:
                session.say(reply)
        own = [re.sub(r"『[^』]*』", "", t.answer.text) for t in session.turns]  # what he throws back is not his own
        assert not [x for x in own if word in x]


def test_a_model_reads_the_principles_in_the_card_and_is_asked_again_when_it_breaks_one(desk: Workshop) -> None:
    draft = desk.copied("scenario", "SC01")
    rule = principles.from_line("unlike", None, "我要去北京告你们", "她只是嘴上硬", "", draft.body)
    body = principles.added(draft.body, rule)
    model = ScriptedModel("我要去北京告你们！", "你们谁管过我死活，就知道打电话！")
    voice = ModelVoice(model, desk.parts.voice, ROOT / "prompts")
    tried = trial.Trial.start(Workshop(replace(desk.parts, voice=voice), LOCAL_ACTOR), "scenario", body)
    turn = tried.say(REPLIES[1])
    assert "北京" not in turn.answer.text and "unlike" in turn.answer.faults
    card = model.asked[0][0].text
    assert "不要这样说：我要去北京告你们" in card and "她只是嘴上硬" in card


def test_the_prompt_as_it_was_sent_can_be_read(tmp_path: Path, serve: Callable[[Reply], Endpoint]) -> None:
    said = iter(["你们除了打电话还会干什么！", "今天一分钱都没有，你问多少遍都一样！"])
    endpoint = serve(lambda _b, _n: stream(next(said)))
    settings = load_settings(content_dir=ROOT, data_dir=tmp_path / "data", voice_model="m", base_url=endpoint.url,
                             _env_file=None)  # fmt: skip
    parts = replace(Parts.open(settings), finder=NothingFound(""))
    desk = Workshop(parts, LOCAL_ACTOR)
    found = trial.Trial.start(desk, "scenario", desk.copied("scenario", "SC01").body)
    for reply in REPLIES[:2]:
        assert found.say(reply).answer.source == "model"
    for n in (1, 2):
        sent = found.prompt(n)
        assert REPLIES[n - 1] in sent[-1].text and "舞台指示" in sent[-1].text and "周敏" in sent[0].text
        assert trial.direction(found.session, n) in sent[-1].text, "the direction shown is the one that was sent"


def test_principles_are_named_listed_changed_and_removed(desk: Workshop) -> None:
    body = desk.copied("persona", "joker").body
    with pytest.raises(LearnerError, match="为什么不像"):
        principles.from_line("unlike", None, "哈哈", "", "", body)
    for _ in range(2):
        body = principles.added(body, principles.from_line("unlike", None, "哈哈", "笑得太假", "", body))
    assert [p["name"] for p in principles.listed(body)] == ["不像：笑得太假", "不像：笑得太假（2）"]
    body = principles.changed(body, 1, name="不假笑")
    assert principles.listed(body)[1]["name"] == "不假笑" and desk.problems("persona", body) == ()
    assert len(principles.listed(principles.removed(body, 0))) == 1


# ── regression ───────────────────────────────────────────────────────────────────────────────────────


def test_an_unchanged_case_shows_no_regression(desk: Workshop) -> None:
    draft = desk.revise("scenario", "SC01")
    found = regress.run(desk, "scenario", draft.body, semantic=False, seeds=(0,), learners=("good", "bad"))
    assert found.worse == () and all(c.lines == () and c.old == c.new for c in found.comparisons)


def test_a_customer_who_cannot_be_moved_any_more_is_a_regression(desk: Workshop) -> None:
    draft = desk.revise("scenario", "SC01")
    hard = {**draft.body["traits"], "suspicion": 1.0, "irritability": 1.0, "openness": 0.0}
    init = {**draft.body["init"], "A": 86, "D": 100, "T": 0, "H": 0, "C": 0}
    seen: list[tuple[int, int]] = []
    body = {**draft.body, "traits": hard, "init": init, "goal": "hold"}
    body["goal"] = "accept"
    if desk.problems("scenario", body):
        body["init"] = {**init, "A": 80, "D": 90, "T": 5}
    assert desk.problems("scenario", body) == ()
    found = regress.run(desk, "scenario", body, lambda n, of, _: seen.append((n, of)), semantic=False, seeds=(0,))
    good = found.comparisons[0]
    assert good.worse and good.old is not None and good.old.satisfaction > good.new.satisfaction
    assert good.lines, "the lines that differ are shown"
    assert seen[-1][0] == seen[-1][1] == 12 and found.of == desk.fingerprint(body)


def test_a_new_case_without_an_original_is_held_to_what_every_case_must_do(desk: Workshop) -> None:
    draft = desk.copied("scenario", "SC02")
    body = {**draft.body, "lines": ""}
    found = regress.run(desk, "scenario", body, semantic=False, seeds=(0,), learners=("good", "bad"))
    assert found.against == "" and all(c.old is None for c in found.comparisons)
    assert not found.comparisons[1].worse


def test_a_persona_is_played_in_cases_it_suits(desk: Workshop) -> None:
    draft = desk.revise("persona", "elderly")
    found = regress.run(desk, "persona", draft.body, semantic=False, seeds=(0,), learners=("bad",))
    assert len(found.cases) == 3 and found.worse == ()
