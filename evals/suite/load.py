"""Find and read case files. What is wrong with one is a `ContentError` that names file, case, key and fix."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bot.errors import ContentError, LearnerError
from bot.scenarios import Library, read_yaml
from evals.learners import LEARNERS
from evals.suite.case import SUITES, Case, Expect, Outcome

FOLDER = Path(__file__).resolve().parent.parent / "dialogues"
SCHEMA = FOLDER / "case.schema.json"
HARMS = ("anti", "violation")
_WORDS = {
    "missing": "缺少这一项，请补上", "extra_forbidden": "没有这一项，请检查拼写", "string_type": "要写文字（加引号）",
    "literal_error": "写法不在可选之列", "bool_type": "写 true 或 false", "int_parsing": "写整数", "string_too_short": "写得太短",
    "string_pattern_mismatch": "只能用小写字母、数字和短横线", "model_type": "要写成 键: 值", "tuple_type": "写成列表 [ ]",
}  # fmt: skip


def load(paths: Iterable[Path] = (FOLDER,)) -> list[Case]:
    """Every case of some files or folders, ids unique. Raises `ContentError`."""
    found: dict[str, tuple[Case, Path]] = {}
    for path in files(paths):
        for case in read(path):
            if case.id in found:
                raise ContentError(
                    f"{path.name}：用例 {case.id} 在 {found[case.id][1].name} 里已经有了，请改一个编号。"
                )
            found[case.id] = case, path
    if not found:
        raise ContentError("没有找到任何用例。请检查路径，用例写在 .yaml 文件的 cases 列表里。")
    return [case for case, _ in found.values()]


def files(paths: Iterable[Path]) -> list[Path]:
    """The case files under some paths, in order. Raises `ContentError` for a path that is not there."""
    found: list[Path] = []
    for path in paths:
        if not path.exists():
            raise ContentError(f"找不到 {path}。请检查路径。")
        found += sorted(path.glob("*.yaml")) if path.is_dir() else [path]
    return found


def read(path: Path) -> list[Case]:
    """The cases of one file; keys under ``defaults`` hold for all of them."""
    data = read_yaml(path)
    if not isinstance(data, dict) or not isinstance(data.get("cases"), list):
        raise ContentError(f"{path.name}：缺少 cases 列表，请把用例写在 cases: 下面。")
    defaults = data.get("defaults") or {}
    return [
        _case({**defaults, **raw} if isinstance(raw, dict) else raw, path, n) for n, raw in enumerate(data["cases"], 1)
    ]


def _case(raw: Any, path: Path, number: int) -> Case:
    name = raw.get("id", f"第 {number} 个") if isinstance(raw, dict) else f"第 {number} 个"
    try:
        return Case.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(p + 1) if isinstance(p, int) else p for p in first["loc"]) or "整个用例"
        said = str(first.get("ctx", {}).get("error", "")) or _WORDS.get(first["type"], first["msg"])
        raise ContentError(f"{path.name}：用例 {name} 的 {key}：{said}。") from None


def check_names(cases: Sequence[Case], library: Library) -> None:
    """Every scenario, persona, label and fact a case names exists. Raises `ContentError`."""
    codes = {*library.taxonomy.techniques, *library.taxonomy.antis, *library.taxonomy.violations}
    for case in cases:
        try:
            scenario = library.scenario(case.scenario) if case.scenario else None
            if case.persona:
                library.persona(case.persona)
        except LearnerError as error:
            raise ContentError(f"用例 {case.id}：{error}") from None
        known = {*(scenario.facts if scenario else ()), "need_business", "need_emotional"}
        for where, said in _expectations(case):
            named = {*said.shows, *said.clean_of, *(said.shows_one if isinstance(said, Expect) else ())}
            _known(case, f"{where}的标签", named, codes | set(HARMS))
            _known(case, f"{where}的事实", {*said.tells, *said.keeps}, known)
        if case.learner and case.learner not in LEARNERS:
            raise ContentError(f"用例 {case.id}：没有学员 {case.learner}。")


def _expectations(case: Case) -> list[tuple[str, Expect | Outcome]]:
    replies = (*case.say, *case.instead)
    return [(f"第 {n} 句", r.expect) for n, r in enumerate(replies, 1)] + [("全场", case.expect)]


def _known(case: Case, where: str, named: set[str], known: set[str]) -> None:
    wrong = sorted(named - known)
    if wrong:
        raise ContentError(f"用例 {case.id}：{where} {'、'.join(wrong)} 不存在，请对照 knowledge 里的编号改正。")


def of_suite(cases: Sequence[Case], suite: str) -> list[Case]:
    """The cases of one suite; `all` for every one. Raises `LearnerError` for a suite there is none of."""
    if suite != "all" and suite not in SUITES:
        raise LearnerError(f"没有 {suite} 这一组。可用：all、{'、'.join(SUITES)}。")
    return [c for c in cases if suite in ("all", c.suite)]


def main() -> None:
    """Write the schema anew after `case` has changed: ``python -m evals.suite.load``."""
    SCHEMA.write_text(schema(), encoding="utf-8")


def schema() -> str:
    """The JSON schema of a case file, for editors that check YAML while it is written."""
    cases = {"type": "array", "items": {"$ref": "#/$defs/Case"}}
    inner = Case.model_json_schema(mode="validation")
    defs = inner.pop("$defs", {})
    reply = {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/Reply"}]}
    for key in ("say", "instead"):
        inner["properties"][key] = {**inner["properties"][key], "items": reply}
    inner["required"] = ["id", "about"]  # everything else may stand in `defaults`
    whole = {
        "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "化诉评测用例", "type": "object",
        "required": ["cases"], "additionalProperties": False,
        "properties": {"defaults": {"type": "object"}, "cases": cases}, "$defs": {**defs, "Case": inner},
    }  # fmt: skip
    return json.dumps(whole, ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    main()
