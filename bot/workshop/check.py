"""What is wrong with a case or persona, all of it at once, in words for people who do not read YAML.

The rules are those of the built-in files (`bot.cases`, the records, and whether the case can be won at all).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from bot import cases
from bot.mind import MindRules, reachable
from bot.records import ContentKind, Persona, Problem, Record, Scenario
from bot.scenarios import Library
from bot.workshop.fields import SLOT_NAMES, in_words, label

RECORDS: dict[ContentKind, type[Record]] = {"scenario": Scenario, "persona": Persona}
LOCKED = "这样设，说得再好也谈不成。请调低“火气”“执着”，或调低“戒心”“受人指点”，或者把“怎样算成功”改成“守住”。"
_REQUIRED = ("title", "demand", "need_business", "need_emotional", "exemplary", "exemplary_key")
_KEY = re.compile(r"^([a-z_]+(?:\.[A-Za-z_]+)?)")
_REASONS = {
    "missing": "还没有填，请补上。",
    "extra_forbidden": "不认识这一项，请删掉，或检查拼写。",
    "string_type": "应是一段文字。",
    "int_parsing": "应是整数。",
    "int_type": "应是整数。",
    "float_type": "应是数字。",
    "float_parsing": "应是数字。",
    "tuple_type": "应是一列，一行一条。",
    "dict_type": "下面应是一组项目。",
    "literal_error": "不在可选的范围里，请重新选。",
    "string_pattern_mismatch": "写法不对。",
    "bool_parsing": "应写是或否。",
}


def problems(kind: ContentKind, body: Mapping[str, Any], library: Library, rules: MindRules) -> tuple[Problem, ...]:
    """Everything wrong with a body; empty when it may be published. `library` is what it would be laid over."""
    if misshapen := shape(kind, body):
        return misshapen
    record = RECORDS[kind].model_validate(dict(body))
    found: list[str] = []
    if isinstance(record, Scenario):
        cases.check_scenario(record, f"{record.id}.yaml", library.vocabulary, found)
        extra = [*_unwritten(record), *([] if found else _locked(record, rules))]
    elif isinstance(record, Persona):
        scenarios = library.scenarios
        cases.check_persona(record, f"{record.id}.yaml", library.vocabulary, scenarios, found)
        extra = [
            Problem(field=k, label=label(kind, k), message="还没有写，请补上。")
            for k in ("name", "description")
            if not str(getattr(record, k)).strip()
        ]
    names = code_names(library)
    return (*extra, *(_said(kind, message, names) for message in found))


def shape(kind: ContentKind, body: Mapping[str, Any]) -> tuple[Problem, ...]:
    """What keeps a body from being a case or persona at all: missing, unknown and ill-typed fields."""
    try:
        RECORDS[kind].model_validate(dict(body))
    except ValidationError as error:
        return tuple(_problem(kind, e) for e in error.errors(include_url=False))
    return ()


def code_names(library: Library) -> dict[str, str]:
    """The Chinese names of types, acts, labels and slots by code."""
    types = {code: t["name_zh"] for code, t in library.rubric["scenario_types"].items()}
    cards = {code: library.taxonomy.name(code) for code in (*library.taxonomy.antis, *library.taxonomy.violations)}
    return {**cards, **library.taxonomy.customer_acts, **types, **SLOT_NAMES}


def _unwritten(s: Scenario) -> list[Problem]:
    def problem(key: str, message: str = "还没有写，请补上。") -> Problem:
        return Problem(field=key, label=label("scenario", key), message=message)

    blank = [problem(k) for k in _REQUIRED if not re.search(r"\w", getattr(s, k))]
    blank += [problem(f"profile.{k}") for k in ("name", "job", "product") if not getattr(s.profile, k).strip()]
    told = [key for key, fact in s.facts.items() if len(fact) > 5 and fact.rstrip("。") in s.opening]
    return blank + [problem(f"facts.{key}", "已经在第一句话里说出来了，学员不用问就知道。请改一处。") for key in told]


def _locked(s: Scenario, rules: MindRules) -> list[Problem]:
    if s.goal != "accept" or s.drills or s.turns or reachable(s, rules):
        return []
    return [Problem(field="init", label=label("scenario", "init"), message=LOCKED)]


def _problem(kind: ContentKind, error: Any) -> Problem:
    loc = [str(x) for x in error["loc"]]
    key = ".".join(loc[:2]) if loc else ""
    reason = _REASONS.get(error["type"])
    if reason is None:
        limits = error.get("ctx", {})
        bound = next((f"应{word} {limits[k]}" for k, word in
                      (("ge", "不小于"), ("le", "不大于"), ("gt", "大于"), ("lt", "小于"),
                       ("max_length", "不超过（字数）"), ("min_length", "不少于（字数）")) if k in limits), "")  # fmt: skip
        reason = f"{bound}，请改正。" if bound else "写得不对，请改正。"
    return Problem(field=key, label=label(kind, key) if key else "整份内容", message=reason)


def _said(kind: ContentKind, message: str, names: Mapping[str, str]) -> Problem:
    match = _KEY.match(message)
    return Problem(field=match[1] if match else "", label="", message=in_words(kind, message, names))
