"""快练: every model reply passes its question and every typical wrong one fails; wrong ones come back."""

from __future__ import annotations

import re
import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot import notebook, practice
from bot.decks import Decks, load_decks
from bot.errors import ContentError, LearnerError
from bot.parts import Parts
from bot.records import Practised
from bot.scenarios import Library

ROOT = Path(__file__).resolve().parent.parent
EXERCISES = load_decks(ROOT).exercises


@pytest.fixture
def parts(shared_parts: Parts) -> Parts:
    return shared_parts


@pytest.fixture(scope="module")
def decks() -> Decks:
    return load_decks(ROOT)


def at(parts: Parts, moment: str) -> Parts:
    return replace(parts, clock=lambda: moment)


# ── the questions ────────────────────────────────────────────────────────────────────────────────────


def test_every_hard_question_of_the_outline_and_every_drill_of_sc39_is_there(decks: Decks, library: Library) -> None:
    asked = {e.card.outline for e in decks.exercises.values()}
    assert {*(f"M3-D0{i}" for i in range(1, 7)), *(f"M4-D0{i}" for i in range(1, 5))} <= asked
    lines = {e.case.opening for e in decks.exercises.values()}
    assert {d.customer for d in library.scenarios["SC39"].drills} <= lines
    assert len(lines) == len(decks.exercises) >= 50, "no line is asked twice"
    known = {row["id"] for row in yaml.safe_load((ROOT / "knowledge/coverage.yaml").read_text("utf-8"))["items"]}
    assert asked <= known


def test_every_model_reply_passes_and_every_wrong_one_fails(parts: Parts, decks: Decks) -> None:
    for exercise in decks.exercises.values():
        good = practice.graded(parts, exercise, exercise.case.exemplary)
        assert good.passed, (exercise.id, good.score, good.why)
        assert any(shown for _, shown in good.trained), (exercise.id, "the model reply shows nothing it trains")
        assert exercise.case.wrong, exercise.id
        for wrong in exercise.case.wrong:
            bad = practice.graded(parts, exercise, wrong.reply)
            assert not bad.passed and bad.score < 50 <= practice.PASS, (exercise.id, wrong.reply, bad.score)


@pytest.mark.parametrize(
    "phrase", ["好的", "对不起，我理解您的心情。", "您慢慢说，我听着。", "我会帮您反馈的，请您谅解。"]
)
def test_a_phrase_that_fits_everybody_passes_nowhere_but_a_vent(parts: Parts, decks: Decks, phrase: str) -> None:
    passed = [e for e in decks.exercises.values() if practice.graded(parts, e, phrase).passed]
    assert all(e.case.opening_act == "vent" for e in passed)


def test_feedback_has_the_learners_words_a_better_wording_and_the_rule(parts: Parts, me: str) -> None:
    bad = practice.answer(parts, me, "DR06", "您投诉也没用，最后还是转回我们这里处理。")
    assert not bad.passed and bad.coaching.evidence in bad.turn.reply and bad.coaching.better
    assert "依据" in bad.coaching.point and "阻碍" in bad.why
    other = practice.answer(parts, me, "DR10", "材料不齐我们也没法报，您再补一份吧。")
    assert other.coaching.point != bad.coaching.point and other.coaching.better != bad.coaching.better


def test_a_reply_is_graded_within_a_second(parts: Parts, me: str) -> None:
    practice.answer(parts, me, "DR01", "您先说，我听着。")  # the reader loads its network once
    began = time.perf_counter()
    practice.answer(parts, me, "DR05", EXERCISES["DR05"].case.exemplary)
    assert time.perf_counter() - began < 1.0


def test_words_already_given_to_another_customer_do_not_pass(parts: Parts, me: str, other: str) -> None:
    said = EXERCISES["DR04"].case.exemplary
    assert practice.answer(parts, me, "DR04", said).passed
    assert practice.answer(parts, me, "DR04", said).passed, "again to the same one is practice"
    again = practice.answer(parts, me, "DR03", said)
    assert not again.passed and "别的客户" in again.why
    assert practice.answer(parts, other, "DR03", said).passed, "the book of somebody else does not count"


@pytest.mark.parametrize("text", ["", "  \n", "😀", "话" * 100_000])
def test_a_reply_that_cannot_be_graded_leaves_nothing(parts: Parts, text: str, me: str) -> None:
    with pytest.raises(LearnerError):
        practice.answer(parts, me, "DR01", text)
    assert parts.practice.all(me) == () and parts.practice.days(me) == {}


def test_personal_data_is_masked_before_it_is_kept(parts: Parts, me: str) -> None:
    outcome = practice.answer(parts, me, "DR01", "您的手机13812345678我记下了。")
    kept = parts.practice.one(me, "DR01")
    assert kept and "13812345678" not in kept.said + outcome.turn.reply and "打码" in outcome.notice


def test_the_fictional_customers_name_is_no_personal_data(parts: Parts, me: str) -> None:
    outcome = practice.answer(parts, me, "DF11", EXERCISES["DF11"].case.exemplary)
    assert outcome.turn.reply == EXERCISES["DF11"].case.exemplary and not outcome.notice


def test_an_unknown_question_is_refused(parts: Parts, me: str) -> None:
    with pytest.raises(LearnerError, match="没有编号"):
        practice.answer(parts, me, "DX99", "您好")


# ── the book of wrong ones ───────────────────────────────────────────────────────────────────────────


def test_a_wrong_one_comes_back_in_minutes_and_leaves_once_it_is_learnt(parts: Parts, me: str) -> None:
    start = at(parts, "2026-03-01T02:00:00+00:00")
    missed = notebook.note(start, me, "DR01", passed=False, score=20)
    assert notebook.in_book(missed) and missed.due == "2026-03-01T02:10:00+00:00"
    assert not notebook.due(parts.practice.all(me), "2026-03-01T02:09:00+00:00")
    assert [p.card for p in notebook.due(parts.practice.all(me), missed.due)] == ["DR01"]
    again, seen = missed, []
    for _ in range(12):
        again = notebook.note(at(parts, again.due), me, "DR01", passed=True, score=80)
        seen.append(again.due)
        if not notebook.in_book(again):
            break
    assert seen == sorted(seen) and len(seen) >= 3, "the pauses grow"
    assert not notebook.in_book(again) and again.times == len(seen) + 1 and again.missed == 1
    relapse = notebook.note(at(parts, again.due), me, "DR01", passed=False)
    assert notebook.in_book(relapse)


def test_what_was_right_at_once_is_not_in_the_book(parts: Parts, me: str, other: str) -> None:
    fine = notebook.note(parts, me, "DR01", passed=True, score=95)
    assert not notebook.in_book(fine) and parts.practice.all(other) == ()


def test_due_wrong_ones_come_first_and_weak_codes_before_strong_ones(parts: Parts, me: str) -> None:
    cards = {"a": ["pace_fact"], "b": ["soft_explain"], "c": ["vent_hold"], "d": ["soft_explain"]}
    weak = {"soft_explain": 0.9, "vent_hold": 0.1}
    now = "2026-03-02T00:00:00+00:00"
    assert notebook.order(cards, (), weak, now) == ("b", "d", "c", "a")
    yesterday = at(parts, "2026-03-01T00:00:00+00:00")
    notebook.note(yesterday, me, "a", passed=False)
    notebook.note(yesterday, me, "d", passed=True)
    assert notebook.order(cards, parts.practice.all(me), weak, now) == ("a", "b", "c", "d")


def test_the_next_question_is_never_the_one_just_asked(parts: Parts, me: str) -> None:
    first = practice.choose(parts, me, {}, "relay")
    assert practice.choose(parts, me, {}, "relay", skip=(first,)) != first
    assert EXERCISES[practice.choose(parts, me, {"elder_care": 1.0})].card.trains.count("elder_care")


def test_a_card_is_read_back_as_it_was_written(parts: Parts, me: str) -> None:
    written = notebook.note(parts, me, "DR01", passed=False, score=31.5, said="您先冷静")
    assert isinstance(written, Practised) and parts.practice.one(me, "DR01") == written
    assert sum(parts.practice.days(me).values()) == 1


# ── wrong files ──────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("content")
    for name in ("knowledge", "prompts"):
        shutil.copytree(ROOT / name, root / name)
    return root


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"case": "SC99"}, "DR02 的 case SC99 不存在"),
        ({"case": "SC39"}, "DR02 的 case SC39 是一组题"),
        ({"case": "SC30"}, "DR02 的 case SC30 会出现轻生的话"),
        ({"act": "shout"}, "DR02 的 act shout 不认识"),
        ({"trains": ["rebut"]}, "DR02 的 trains 里 rebut 不是技巧"),
        ({"wrong": [{"reply": "不行", "code": "pace_fact"}]}, "DR02 的 wrong 里 pace_fact 不是反模式"),
        ({"gold": ""}, "DR02 有自己的 customer，就要有自己的 gold"),
        ({"wrong": []}, "至少一条 wrong"),
        ({"id": "DR01"}, "编号 DR01 重复"),
        ({"hint": "?"}, "cards.1.hint 不认识这一项"),
    ],
)
def test_a_wrong_card_says_where_and_how_to_mend_it(content: Path, change: dict[str, Any], message: str) -> None:
    data = yaml.safe_load((ROOT / "knowledge/drills/relay.yaml").read_text(encoding="utf-8"))
    data["cards"][1] |= change
    (content / "knowledge/drills/relay.yaml").write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    load_decks.cache_clear()
    with pytest.raises(ContentError, match=re.escape(message)) as caught:
        load_decks(content)
    assert "relay.yaml" in str(caught.value)
