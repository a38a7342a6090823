"""Load and validate everything a trainer can edit: scenarios, personas, policy box, labels, red lines, rubric.

A wrong file is a `ContentError` that names the file, the key and the fix. Nothing here knows about sessions.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Mapping
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from bot import cases, drills
from bot.errors import ContentError, LearnerError
from bot.records import (
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
MAX_HEAD = 20_000  # characters of front matter


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


def split_front_matter(text: str) -> tuple[dict[str, Any] | None, str]:
    """The YAML head of a Markdown text, and the rest; None and the whole text when it has none that is a mapping.

    Safe on text from anywhere: the head is plain data and short, so that nothing in it can unfold without end.
    """
    end = text.find("\n---", 4)
    if text.startswith("---\n") and 0 < end < MAX_HEAD:
        try:
            head = yaml.safe_load(text[4:end])
        except (yaml.YAMLError, RecursionError, ValueError):
            head = None
        if isinstance(head, dict):
            return head, text[end + 4 :]
    return None, text


def read_front_matter(path: Path) -> tuple[dict[str, Any], str]:
    """The YAML head and the rest of a Markdown file. Raises `ContentError` when it has none."""
    try:
        head, body = split_front_matter(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise ContentError(f"{path.name} 不是 UTF-8 编码。请另存为 UTF-8。") from None
    if head is None:
        raise ContentError(f"{path.name}：开头两条 --- 之间应是 YAML（编号、标题等），请补上或改正。")
    return head, body


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
        self.stamps: Mapping[str, str] = {}
        knowledge = root / "knowledge"
        self.taxonomy = _taxonomy(knowledge / "techniques" / "taxonomy.yaml")
        self.redlines = {r.id: r for r in _listed(RedLine, knowledge / "regulations" / "redlines.yaml", "redlines")}
        self.policies = {p.id: p for p in _listed(Policy, knowledge / "policy_box.yaml", "policies")}
        self.rubric: dict[str, Any] = read_yaml(knowledge / "rubric.yaml")
        self.mind_rules: dict[str, Any] = read_yaml(knowledge / "mind.yaml")
        self.scenarios = {s.id: s for s in self._load_scenarios(knowledge / "cases")}
        self.personas = {p.id: p for p in self._load_personas(root / "prompts" / "personas")}

    def scenario(self, scenario_id: str) -> Scenario:
        """A scenario by id (any case), or one question of a drill (SC39-3). Raises `LearnerError` listing what exists."""
        wanted = scenario_id.strip().upper()
        found = self.scenarios.get(wanted) or drills.question(self.scenarios.get(wanted.split("-")[0]), wanted)
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

    def with_content(
        self, scenarios: Mapping[str, Scenario], personas: Mapping[str, Persona], stamps: Mapping[str, str]
    ) -> Library:
        """The same library with other cases and personas; `stamps` name the versions that are not the built-in ones."""
        other = copy.copy(self)
        other.scenarios, other.personas, other.stamps = dict(scenarios), dict(personas), dict(stamps)
        return other

    def versions(self) -> dict[str, str]:
        """A short hash of each file a grade depends on, by path relative to the content folder."""
        files = [
            *(f for f in (self.root / "knowledge").glob("*.yaml") if f.name != "coverage.yaml"),
            *(self.root / "knowledge" / "techniques").glob("*.yaml"),
            *(self.root / "knowledge" / "regulations").glob("*.yaml"),
            *(self.root / "knowledge" / "appraisal").glob("*"),
            *(self.root / "prompts").glob("*.md"),
            *(self.root / "prompts").glob("*.yaml"),
        ]
        return {str(f.relative_to(self.root)): digest(f.read_bytes()) for f in sorted(files) if f.is_file()}

    @cached_property
    def vocabulary(self) -> cases.Vocabulary:
        """The names a case or persona may use."""
        return cases.Vocabulary(
            types=frozenset(self.rubric["scenario_types"]),
            policies=self.policies,
            codes=frozenset([*self.taxonomy.antis, *self.taxonomy.violations]),
            acts=frozenset(self.taxonomy.customer_acts),
            behaviours=self.mind_rules["behaviours"],
        )

    def _load_scenarios(self, folder: Path) -> list[Scenario]:
        found = []
        for path in sorted(folder.glob("*.yaml")):
            scenario = build(Scenario, read_yaml(path), path)
            cases.check_scenario(scenario, path.name, self.vocabulary)
            found.append(scenario)
        if not found:
            raise ContentError(f"{folder} 里没有场景文件。请放入至少一个 SCxx.yaml。")
        return found

    def _load_personas(self, folder: Path) -> list[Persona]:
        found = []
        for path in sorted(folder.glob("*.yaml")):
            persona = build(Persona, read_yaml(path), path)
            cases.check_persona(persona, path.name, self.vocabulary, self.scenarios)
            found.append(persona)
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
