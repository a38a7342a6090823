"""Load and validate everything a trainer can edit: scenarios, personas, policy box, labels, red lines, rubric.

A wrong file is a `ContentError` that names the file, the key and the fix. Nothing here knows about sessions.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from bot.errors import ContentError, LearnerError
from bot.records import (
    SLOTS,
    VARIABLES,
    AntiCard,
    Persona,
    Policy,
    Record,
    RedLine,
    Scenario,
    Taxonomy,
    TechniqueCard,
    ViolationCard,
)

R = TypeVar("R", bound=Record)
TRAITS = (
    "irritability", "suspicion", "face", "openness", "desperation",
    "legal_savvy", "media_savvy", "crisis_prone", "black_agent",
)  # fmt: skip


def read_yaml(path: Path) -> Any:
    """A YAML file's content. Raises `ContentError` with file and line when it does not parse."""
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ContentError(f"缺少文件 {path.name}（应在 {path.parent}）。请恢复该文件。") from None
    except UnicodeDecodeError:
        raise ContentError(f"{path.name} 不是 UTF-8 编码。请另存为 UTF-8。") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"第 {mark.line + 1} 行" if mark else "某处"
        raise ContentError(f"{path.name} {where} 的 YAML 写法有误。请检查缩进、引号和冒号。") from None


def build(kind: type[R], data: Any, path: Path) -> R:
    """A record from parsed YAML. Raises `ContentError` naming file and key."""
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "（整个文件）"
        reason = {
            "missing": "缺少这一项，请补上",
            "extra_forbidden": "不认识这一项，请检查拼写或删除",
        }.get(first["type"], f"值不对（{first['msg']}）")
        raise ContentError(f"{path.name}：{key} {reason}。") from None


class Library:
    """Everything loaded from one content folder, by id. Read-only once built."""

    def __init__(self, root: Path) -> None:
        self.root = root
        knowledge = root / "knowledge"
        self.taxonomy = _taxonomy(knowledge / "techniques" / "taxonomy.yaml")
        self.redlines = {r.id: r for r in _listed(RedLine, knowledge / "regulations" / "redlines.yaml", "redlines")}
        self.policies = {p.id: p for p in _listed(Policy, knowledge / "policy_box.yaml", "policies")}
        self.rubric: dict[str, Any] = read_yaml(knowledge / "rubric.yaml")
        self.mind_rules: dict[str, Any] = read_yaml(knowledge / "mind.yaml")
        self.scenarios = {s.id: s for s in self._load_scenarios(knowledge / "cases")}
        self.personas = {
            p.id: p
            for p in (build(Persona, read_yaml(f), f) for f in sorted((root / "prompts" / "personas").glob("*.yaml")))
        }

    def scenario(self, scenario_id: str) -> Scenario:
        """A scenario by id (any case). Raises `LearnerError` listing what exists."""
        found = self.scenarios.get(scenario_id.strip().upper())
        if found is None:
            known = "、".join(self.scenarios)
            raise LearnerError(f"没有场景 {scenario_id!r}。可用的场景：{known}。")
        return found

    def persona(self, persona_id: str) -> Persona:
        """A persona by id. Raises `LearnerError` listing what exists."""
        found = self.personas.get(persona_id.strip())
        if found is None:
            raise LearnerError(f"没有人设 {persona_id!r}。可用的人设：{'、'.join(self.personas)}。")
        return found

    def versions(self) -> dict[str, str]:
        """A short hash of each file a grade depends on, by path relative to the content folder."""
        files = [
            *(self.root / "knowledge").glob("*.yaml"),
            *(self.root / "knowledge" / "techniques").glob("*.yaml"),
            *(self.root / "knowledge" / "regulations").glob("*.yaml"),
            *(self.root / "knowledge" / "appraisal").glob("*"),
            *(self.root / "prompts").glob("*.md"),
            *(self.root / "prompts").glob("*.yaml"),
        ]
        return {str(f.relative_to(self.root)): digest(f.read_bytes()) for f in sorted(files) if f.is_file()}

    def _load_scenarios(self, folder: Path) -> list[Scenario]:
        found = []
        for path in sorted(folder.glob("*.yaml")):
            scenario = build(Scenario, read_yaml(path), path)
            _check_scenario(scenario, path, set(self.policies), set(self.rubric["scenario_types"]))
            found.append(scenario)
        if not found:
            raise ContentError(f"{folder} 里没有场景文件。请放入至少一个 SCxx.yaml。")
        return found


def digest(content: bytes) -> str:
    """The first 12 hex digits of the SHA-256 of some content."""
    return hashlib.sha256(content).hexdigest()[:12]


@lru_cache(maxsize=4)
def load_library(root: Path) -> Library:
    """The library of a content folder, loaded once per process."""
    return Library(root)


def _listed(kind: type[R], path: Path, key: str) -> list[R]:
    data = read_yaml(path)
    if not isinstance(data, dict) or key not in data:
        raise ContentError(f"{path.name}：缺少 {key} 列表，请补上。")
    return [build(kind, item, path) for item in data[key]]


def _taxonomy(path: Path) -> Taxonomy:
    data = read_yaml(path)
    return Taxonomy(
        techniques={c["code"]: build(TechniqueCard, c, path) for c in data["techniques"]},
        antis={c["code"]: build(AntiCard, c, path) for c in data["anti_patterns"]},
        violations={c["code"]: build(ViolationCard, c, path) for c in data["violations"]},
        customer_acts={a["code"]: a["name"] for a in data["customer_acts"]},
    )


def _check_scenario(scenario: Scenario, path: Path, policies: set[str], types: set[str]) -> None:
    def need(ok: bool, message: str) -> None:
        if not ok:
            raise ContentError(f"{path.name}：{message}")

    need(path.stem == scenario.id, f"id 是 {scenario.id}，与文件名不一致，请改成一样。")
    need(scenario.type in types, f"type {scenario.type} 不存在，可用：{'、'.join(sorted(types))}。")
    for name in VARIABLES:
        value = scenario.init.get(name)
        need(value is not None, f"init.{name} 缺少，请填 0–100。")
        need(value is not None and 0 <= value <= 100, f"init.{name} 是 {value}，应在 0–100 之间。")
    need(set(scenario.init) <= set(VARIABLES), "init 里有不认识的变量，只能是 " + "、".join(VARIABLES) + "。")
    for name, value in scenario.traits.items():
        need(name in TRAITS, f"traits.{name} 不认识，可用：{'、'.join(TRAITS)}。")
        need(0 <= value <= 1, f"traits.{name} 是 {value}，应在 0–1 之间。")
    missing = [slot for slot in SLOTS if not scenario.facts.get(slot)]
    need(not missing, f"facts 缺少 {'、'.join(missing)}，请补上这些槽位。")
    need(set(scenario.facts) <= set(SLOTS), "facts 里有不认识的槽位，只能是 " + "、".join(SLOTS) + "。")
    for policy in scenario.offer:
        need(policy in policies, f"offer 里的 {policy} 不在政策箱里，请改成政策箱已有的编号。")
