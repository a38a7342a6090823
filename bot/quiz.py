"""Load and validate ``knowledge/quiz/*.yaml``. A wrong file is a `ContentError` naming file, question and fix."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from bot.citations import Shelf, load_shelf
from bot.errors import ContentError
from bot.records import Question, QuizSet
from bot.scenarios import Library, build, load_library, read_yaml

JUDGE = ("对", "错")


@lru_cache(maxsize=4)
def load_quiz(root: Path) -> dict[str, QuizSet]:
    """Every quiz set of a content folder, by id, checked against its labels and documents; loaded once per process."""
    library, shelf = load_library(root), load_shelf(root)
    sets: dict[str, QuizSet] = {}
    seen: set[str] = set()
    for path in sorted((root / "knowledge" / "quiz").glob("*.yaml")):
        quiz = _complete(build(QuizSet, read_yaml(path), path))
        if quiz.id != path.stem:
            raise ContentError(f"{path.name}：id 是 {quiz.id}，与文件名不一致，请改成一样。")
        for question in quiz.questions:
            if question.id in seen:
                raise ContentError(f"{path.name}：题号 {question.id} 重复，请换一个。")
            seen.add(question.id)
            _check(question, path.name, library, shelf)
        sets[quiz.id] = quiz
    return sets


def _complete(quiz: QuizSet) -> QuizSet:
    """The set with the options that go without saying: 对/错, and the classes of the set."""
    implied = {"judge": JUDGE, "classify": quiz.classes}
    questions = [
        q.model_copy(update={"options": implied[q.kind]}) if q.kind in implied and not q.options else q
        for q in quiz.questions
    ]
    return quiz.model_copy(update={"questions": tuple(questions)})


def _check(q: Question, file: str, library: Library, shelf: Shelf) -> None:
    def need(ok: bool, message: str) -> None:
        if not ok:
            raise ContentError(f"{file}：{q.id} {message}")

    if q.kind == "open":
        need(not q.options, "是开放题，不要写 options；参考要点写在 answer 里。")
        need(len(q.answer) >= 3, "的参考要点少于三条，请补上。")
    else:
        need(2 <= len(q.options) == len(set(q.options)), "的选项不足两个或有重复，请改正。")
        need(set(q.answer) <= set(q.options), "的 answer 不在 options 里，请与选项逐字一致。")
        need(len(q.answer) == 1 or q.kind == "multiple", "只能有一个答案。")
        need(len(q.answer) >= 2 or q.kind != "multiple", "是多选题，至少要有两个答案；只有一个请改成 single。")
    tax = library.taxonomy
    known = {*tax.techniques, *tax.antis, *tax.violations, *tax.customer_acts}
    need(set(q.codes) <= known, f"的 codes 里有不认识的标签 {'、'.join(sorted(set(q.codes) - known))}。")
    for cited in q.citations:
        sections = shelf.find(cited)
        need(bool(sections), f"的依据“{cited}”找不到，请写成“文档编号 节名”，如“R02 第18条 投诉处理时限”。")
        certain = q.kind == "open" or all(s.conf != "C" for s in sections)
        need(certain, f"的依据“{cited}”确信度是 C（未核实），不能当作标准答案，请换一处或改成开放题。")
