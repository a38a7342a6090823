"""What makes a case or a persona usable: names that exist, facts that are there, nothing that contradicts itself.

Pydantic has already refused unknown and missing keys. Everything here is a `ContentError` naming file, key and fix.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.errors import ContentError
from bot.records import SLOTS, VARIABLES, Drill, Persona, Policy, Principle, Scenario, WrongReply

TRAITS = (
    "irritability", "suspicion", "face", "openness", "desperation",
    "legal_savvy", "media_savvy", "crisis_prone", "black_agent",
)  # fmt: skip
NOBODY = "—"
RISK = 0.3
"""Above this crisis_prone a case must warn, and say what it takes to keep the customer safe."""
SHIFT = 25
STEPS = ("G1", "G2", "G3", "G4", "G5")
_POLICY_ID = re.compile(r"P\d{2}")


@dataclass(frozen=True)
class Vocabulary:
    """The names cases and personas may use."""

    types: Collection[str]
    policies: Mapping[str, Policy]
    codes: Collection[str]
    acts: Collection[str]
    behaviours: Mapping[str, Any]


class _Checked:
    """One file under examination. With `found`, everything wrong is listed there; without, the first thing is raised."""

    def __init__(self, file: str, found: list[str] | None = None) -> None:
        self.file, self.found = file, found

    def need(self, ok: bool, message: str) -> None:
        if ok:
            return
        if self.found is None:
            raise ContentError(f"{self.file}：{message}")
        self.found.append(message)

    def known(self, key: str, used: Iterable[str], names: Collection[str], what: str = "不认识") -> None:
        for name in used:
            self.need(name in names, f"{key} 里的 {name} {what}，可用：{'、'.join(sorted(names))}。")


def check_scenario(s: Scenario, file: str, words: Vocabulary, found: list[str] | None = None) -> None:
    """Raises `ContentError` for the first thing wrong with a case; given a list, adds everything wrong to it instead."""
    f = _Checked(file, found)
    f.need(file.rsplit(".", 1)[0] == s.id, f"id 是 {s.id}，与文件名不一致，请改成一样。")
    f.need(s.type in words.types, f"type {s.type} 不存在，可用：{'、'.join(sorted(words.types))}。")
    f.known("opening_act", [s.opening_act], words.acts)
    f.need(bool(s.opening.strip()), "opening 是空的，请写客户的第一句话。")
    _numbers(f, s, words.behaviours)
    _facts(f, s)
    _policies(f, s, words.policies)
    _replies(f, "wrong", s.wrong, words.codes)
    _risk(f, s)
    _gates(f, s, words.acts)
    _drills(f, s, words)
    _principles(f, s.principles, words)


def _numbers(f: _Checked, s: Scenario, behaviours: Mapping[str, Any]) -> None:
    for name in VARIABLES:
        value = s.init.get(name)
        f.need(value is not None, f"init.{name} 缺少，请填 0–100。")
        f.need(value is not None and 0 <= value <= 100, f"init.{name} 是 {value}，应在 0–100 之间。")
    f.need(set(s.init) <= set(VARIABLES), "init 里有不认识的变量，只能是 " + "、".join(VARIABLES) + "。")
    leaves = behaviours["hang_up"]["A"]
    anger = s.init.get("A", 0.0)
    f.need(anger < leaves, f"init.A 是 {anger:g}，到了 {leaves:g} 客户没等学员开口就要走，请调低。")
    _traits(f, s.traits)


def _traits(f: _Checked, traits: Mapping[str, float]) -> None:
    f.known("traits", traits, TRAITS)
    for name, value in traits.items():
        f.need(0 <= value <= 1, f"traits.{name} 是 {value}，应在 0–1 之间。")


def _facts(f: _Checked, s: Scenario) -> None:
    if s.drills:  # a drill is one line: there is nothing to dig for
        f.need(not s.facts, "facts 应为空（{}）：快练每题只有一句，没有可问的事实。")
        return
    missing = [slot for slot in SLOTS if not s.facts.get(slot, "").strip()]
    f.need(not missing, f"facts 缺少 {'、'.join(missing)}，请补上这些槽位。")
    f.known("facts", s.facts, SLOTS)
    blank = [slot for slot, text in s.facts.items() if not re.search(r"\w", text)]
    f.need(not blank, f"facts.{'、'.join(blank)} 没有内容，客户被问到时会无话可说，请写一句。")
    f.known("fact_levels", s.fact_levels, SLOTS)
    for slot, level in s.fact_levels.items():
        f.need(level in (1, 2), f"fact_levels.{slot} 是 {level}，只能是 1（业务事实）或 2（真实数字与隐情）。")


def _policies(f: _Checked, s: Scenario, policies: Mapping[str, Policy]) -> None:
    for policy in s.offer:
        f.need(policy in policies, f"offer 里的 {policy} 不在政策箱里，请改成政策箱已有的编号。")
        if policy not in policies:
            continue
        name, authority = policies[policy].name, policies[policy].authority
        f.need(authority != NOBODY, f"offer 里的 {policy}（{name}）没有人能批，请从 offer 删去，写进 cannot。")
    for ban in s.cannot:
        both = [
            p for p in s.offer
            if p in policies and (p in _POLICY_ID.findall(ban) or policies[p].name == ban.strip())
        ]  # fmt: skip
        f.need(
            not both, f"cannot 的“{ban}”与 offer 里的 {'、'.join(both)} 互相矛盾：同一项不能既给又不给，请删去一处。"
        )


def _replies(f: _Checked, key: str, wrong: Iterable[WrongReply], codes: Collection[str]) -> None:
    for i, reply in enumerate(wrong, 1):
        f.need(reply.code in codes, f"{key} 第 {i} 条的 code {reply.code} 不是反模式也不是违规，请对照 taxonomy.yaml。")


def _risk(f: _Checked, s: Scenario) -> None:
    risky = s.traits.get("crisis_prone", 0.0) > RISK
    f.need(not risky or bool(s.safety_note.strip()),
           f"traits.crisis_prone 高于 {RISK}，客户可能说出轻生的话，请补上 safety_note（开始前给学员看的提醒）。")  # fmt: skip
    f.need(not risky or s.goal == "safe", "会出现危机的场景，goal 应写 safe：先把人稳住，不以接受方案为成功。")
    f.need(risky or s.opening_act != "crisis", f"opening_act 是 crisis，traits.crisis_prone 就要高于 {RISK}。")


def _gates(f: _Checked, s: Scenario, acts: Collection[str]) -> None:
    if s.type != "gate_full":
        f.need(not s.gates, "gates 只用于 gate_full 类型，请删去或改 type。")
        return
    steps = [g.step for g in s.gates]
    f.need(sorted(set(steps)) == list(STEPS), "gates 要有 G1 到 G5 每一步的客户问话，请补齐。")
    f.need(steps == sorted(steps), "gates 要按 G1 到 G5 的次序写，请调整。")
    f.known("gates 的 act", [g.act for g in s.gates], acts)


def _drills(f: _Checked, s: Scenario, words: Vocabulary) -> None:
    ids = [d.id for d in s.drills]
    f.need(ids == [f"{s.id}-{n}" for n in range(1, len(ids) + 1)],
           f"drills 的 id 要从 {s.id}-1 起连续编号，现在是 {'、'.join(ids)}。")  # fmt: skip
    for drill in s.drills:
        _drill(f, drill, words)


def _drill(f: _Checked, drill: Drill, words: Vocabulary) -> None:
    f.known(f"{drill.id} 的 act", [drill.act], words.acts)
    _replies(f, f"{drill.id} 的 wrong", drill.wrong, words.codes)
    asked = drill.explain or "虽然" not in drill.gold
    f.need(asked, f"{drill.id} 写了 explain: false，示范却用了“虽然……但是……”，请改一处。")


def _principles(f: _Checked, principles: Iterable[Principle], words: Vocabulary) -> None:
    names = [p.name for p in principles]
    f.need(len(set(names)) == len(names), "principles 里有重名的原则，请改名或合并。")
    for p in principles:
        f.need(bool(re.search(r"\w", p.line + p.why)), f"principles 里“{p.name}”没有内容，请写出那句话或原因。")
        f.known(f"principles 里“{p.name}”的 facts", p.facts, (*SLOTS, "need_business", "need_emotional"))


def check_persona(
    p: Persona, file: str, words: Vocabulary, scenarios: Mapping[str, Scenario], found: list[str] | None = None
) -> None:
    """Raises `ContentError` for the first thing wrong with a persona; given a list, adds everything to it instead."""
    f = _Checked(file, found)
    f.need(file.rsplit(".", 1)[0] == p.id, f"id 是 {p.id}，与文件名不一致，请改成一样。")
    _traits(f, p.traits)
    f.known("init_shift", p.init_shift, VARIABLES)
    for name, shift in p.init_shift.items():
        f.need(abs(shift) <= SHIFT, f"init_shift.{name} 是 {shift:g}，最多正负 {SHIFT}：人设只改脾气，不改案情。")
    f.known("suits.types", p.suits.types, words.types)
    f.known("suits.not_types", p.suits.not_types, words.types)
    f.known("suits.not_cases", p.suits.not_cases, scenarios, "不存在")
    f.need(p.suits.age[0] <= p.suits.age[1], f"suits.age 是 {list(p.suits.age)}，应写 [最小, 最大]。")
    f.need(any(not unsuitable(s, p) for s in scenarios.values()), "suits 的条件太严，没有一个场景能用，请放宽。")
    _principles(f, p.principles, words)


def unsuitable(s: Scenario, p: Persona) -> str:
    """Why a persona makes no sense in a case, in words; empty when it does."""
    suits, who = p.suits, s.profile
    if s.drills or s.turns:
        return "快练每题只有一句，不换性格"
    if (suits.types and s.type not in suits.types) or s.type in suits.not_types or s.id in suits.not_cases:
        return "和这类场景的情形对不上"
    if suits.jobs and not any(word in who.job for word in suits.jobs):
        return f"和客户的职业（{who.job}）对不上"
    if not suits.age[0] <= who.age <= suits.age[1]:
        return f"和客户的年纪（{who.age} 岁）对不上"
    if suits.in_person and not s.in_person:
        return "要面对面才演得出来，这个场景是电话"
    return ""
