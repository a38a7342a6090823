"""The quiz: complete, every answer among its options and resting on a section; wrong files say file, question and fix."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.citations import load_shelf
from bot.errors import ContentError
from bot.quiz import load_quiz

ROOT = Path(__file__).resolve().parent.parent
SETS = load_quiz(ROOT)
QUESTIONS = {q.id: q for quiz in SETS.values() for q in quiz.questions}


def test_every_exercise_of_the_course_is_there() -> None:
    sizes = {name: len(quiz.questions) for name, quiz in SETS.items()}
    assert sizes["misconceptions"] == 27
    assert sizes["thinking"] == 11
    assert sizes["stages"] == 12
    assert sizes["explain-or-not"] == 20
    assert sizes["regulations"] >= 20
    assert sizes["seven-kinds"] >= 7 and sizes["body-language"] >= 5 and sizes["weak-signals"] == 10


def test_every_class_has_a_line_to_sort() -> None:
    for name in ("stages", "explain-or-not", "seven-kinds", "weak-signals"):
        quiz = SETS[name]
        assert {q.answer[0] for q in quiz.questions} == set(quiz.classes), name
        assert all(q.options == quiz.classes for q in quiz.questions)


def test_thinking_questions_have_points_to_compare_with_and_no_verdict() -> None:
    quiz = SETS["thinking"]
    assert {q.kind for q in quiz.questions} == {"open"}
    assert "先写后看" in quiz.intro
    wanted = {*(f"M1-Q0{i}" for i in range(1, 5)), "M2-Q01", "M4-Q01", "M4-Q02", *(f"M5-Q0{i}" for i in range(1, 5))}
    assert {ref for q in quiz.questions for ref in q.outline} == wanted


def test_the_regulation_quiz_rests_on_rules_read_or_reliably_reported() -> None:
    shelf = load_shelf(ROOT)
    for q in SETS["regulations"].questions:
        confs = {s.conf for c in q.citations for s in shelf.find(c) if s.doc.startswith("R")}
        assert confs <= {"A", "B"} and confs, q.id


def test_a_right_option_is_not_given_away_by_its_place() -> None:
    places = [q.options.index(q.answer[0]) for q in QUESTIONS.values() if q.kind == "single"]
    assert max(places.count(i) for i in range(4)) <= len(places) / 2


def test_every_misconception_has_its_card() -> None:
    shelf = load_shelf(ROOT)
    sections = {s.name for s in shelf.documents["R99"].sections}
    cited = {
        c.removeprefix("R99 ") for q in SETS["misconceptions"].questions for c in q.citations if c.startswith("R99")
    }
    unverified = {s.name for s in shelf.documents["R99"].sections if s.conf == "C"}
    assert sections - cited == unverified, "a card that may be stated as certain has its question"


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A content folder of its own, to spoil."""
    root = tmp_path_factory.mktemp("content")
    for name in ("knowledge", "prompts"):
        shutil.copytree(ROOT / name, root / name)
    return root


def spoiled(content: Path, **change: Any) -> None:
    data = yaml.safe_load((ROOT / "knowledge" / "quiz" / "regulations.yaml").read_text(encoding="utf-8"))
    data["questions"][0] |= change
    path = content / "knowledge" / "quiz" / "regulations.yaml"
    path.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    load_quiz.cache_clear()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"answer": ["21点"]}, "QR01 的 answer 不在 options 里"),
        ({"answer": ["22:00至次日8:00", "20:00至次日8:00"]}, "QR01 只能有一个答案"),
        ({"kind": "multiple"}, "QR01 是多选题，至少要有两个答案"),
        ({"options": ["22:00至次日8:00"]}, "QR01 的选项不足两个"),
        ({"kind": "open", "options": []}, "QR01 的参考要点少于三条"),
        ({"kind": "open"}, "QR01 是开放题，不要写 options"),
        ({"codes": ["nonsense"]}, "QR01 的 codes 里有不认识的标签 nonsense"),
        ({"citations": ["R04 没有这一节"]}, "QR01 的依据“R04 没有这一节”找不到"),
        ({"citations": ["R04 5.3（身份公开）"]}, "确信度是 C"),
        ({"id": "QR02"}, "题号 QR02 重复"),
        ({"citations": []}, "questions.0.citations"),
        ({"why": "?"}, "questions.0.why 不认识这一项"),
    ],
)
def test_a_wrong_question_says_where_and_how_to_mend_it(content: Path, change: dict[str, Any], message: str) -> None:
    spoiled(content, **change)
    with pytest.raises(ContentError, match=re.escape(message)) as caught:
        load_quiz(content)
    assert "regulations.yaml" in str(caught.value)
