"""The five gates as they are run: one after another, with attempts, falling back, and one demonstration. Pure.

An attempt at a gate fails on a slip the gate forbids or when its turns run out; the next attempt starts clean. After
the third failure the coach shows the gate once. Anger that rises again throws the run back to the first gate. Numbers:
``pass_gate.run`` in ``knowledge/rubric.yaml``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bot.grading.adjust import Talk
from bot.grading.gates import missing, unwanted
from bot.grading.scene import Scene, scenes
from bot.grading.wording import for_technique
from bot.records import Adjustment, GateRun, GateStep, Scenario, Turn
from bot.scenarios import Library

PASSED, STUCK, ROLLED = "gates_passed", "gates_stuck", "gates_rolled_back"


def gate_run(turns: Sequence[Turn], scenario: Scenario, library: Library) -> GateRun:
    """Where a run through the gates stands after these turns."""
    run = _Run(scenes(turns, library, scenario), scenario, library)
    for n in range(1, len(turns) + 1):
        if not run.over:
            run.turn(n)
    return run.result()


def rolled_back(run: GateRun, library: Library) -> tuple[Adjustment, ...]:
    """What every fall back to the first gate costs."""
    rule = library.rubric["pass_gate"]["run"]["rollback"]
    return tuple(Adjustment(name=rule["name"], points=float(rule["points"]), turn=n) for n in run.rollbacks)


class _Run:
    """The fold over the turns."""

    def __init__(self, talk: Sequence[Scene], scenario: Scenario, library: Library) -> None:
        self.scenes, self.scenario, self.library = talk, scenario, library
        self.rules: Mapping[str, Any] = library.rubric["pass_gate"]
        self.cards: list[Mapping[str, Any]] = self.rules["steps"]
        self.steps = [GateStep(id=c["id"], name=c["name"], passed=False, tip=c.get("magic", ""))
                      for c in self.cards]  # fmt: skip
        self.at, self.since, self.fresh, self.used = 0, 1, 1, 0
        self.rollbacks: list[int] = []
        self.over, self.said, self.demo = "", "", ""

    def turn(self, n: int) -> None:
        """Take one more turn into account."""
        self.used, self.said, self.demo = self.used + 1, "", ""
        entered = self.at
        while self.at < len(self.cards) and not missing(self._talk(n), self.scenario, self.cards[self.at]):
            self._pass(n)
        if self.at == len(self.cards):
            self.over = PASSED
            return
        if self.at and self._boils(n):
            self._roll_back(n)
        elif self.at == entered:
            self._held_up(n)

    def _talk(self, n: int) -> Talk:
        talk = Talk(tuple(self.scenes[self.since - 1 : n]), self.library, complete=False)
        return replace(talk, fresh=self.fresh)

    def _pass(self, n: int) -> None:
        best = _golden(self.scenes[n - 1], self.cards[self.at]["rule"])
        self._update(passed=True, won=n, golden=best, missing=(), tip="")
        self.said = f"过了第 {self.at + 1} 关「{self.cards[self.at]['name']}」。"
        self.at, self.fresh, self.used = self.at + 1, n, 0

    def _held_up(self, n: int) -> None:
        """The gate did not open: still open to this attempt, or one attempt the poorer."""
        card, talk = self.cards[self.at], self._talk(n)
        lacking = tuple(missing(talk, self.scenario, card))
        slips = unwanted(talk, card["rule"]) or self._breached(n)
        limit = card["rule"].get("within_turns") or card["rule"].get("patience") or self.rules["run"]["turns"]
        self._update(missing=lacking, turns=self.steps[self.at].turns + 1)
        if not slips and self.used < limit:
            self.said = f"第 {self.at + 1} 关还差：{lacking[0]}。"
            return
        tries = self.steps[self.at].tries + 1
        self._update(tries=tries, tip=card["fail_to"])
        self.said = f"第 {self.at + 1} 关第 {tries} 次没过：{(slips or lacking)[0]}。"
        self.fresh, self.used = n + 1, 0
        most = self.rules["run"]["attempts"]
        if tries == most:
            self.demo = for_technique(self.scenes[n - 1], _shows(card))
            self._update(demo=self.demo)
        elif tries >= 2 * most:
            self.over = STUCK

    def _breached(self, n: int) -> list[str]:
        return ["碰了红线"] if any(h.level != "anti" for h in self.scenes[n - 1].harms) else []

    def _boils(self, n: int) -> bool:
        scene, rule = self.scenes[n - 1], self.rules["run"]
        after = scene.turn.mind.values["A"]
        rose = after - scene.anger > rule["rises"] and after >= rule["anger"]
        return rose or scene.turn.act.behaviour == "outburst"

    def _roll_back(self, n: int) -> None:
        self.rollbacks.append(n)
        self.steps = [s.model_copy(update={"passed": False, "won": 0}) for s in self.steps]
        self.at, self.since, self.fresh, self.used = 0, n + 1, n + 1, 0
        self.said = "客户又上火了，退回第 1 关，先把情绪接住。"
        if len(self.rollbacks) > self.rules["run"]["rollbacks"]:
            self.over = ROLLED

    def _update(self, **changes: Any) -> None:
        self.steps[self.at] = self.steps[self.at].model_copy(update=changes)

    def result(self) -> GateRun:
        """The state as a record."""
        last = len(self.scenes)
        if self.at < len(self.cards) and self.since <= last:
            self._update(missing=tuple(missing(self._talk(last), self.scenario, self.cards[self.at])))
        return GateRun(
            at=self.at, steps=tuple(self.steps), rollbacks=tuple(self.rollbacks), over=self.over, said=self.said,
            demo=self.demo,
        )  # fmt: skip


def _golden(scene: Scene, rule: Mapping[str, Any]) -> str:
    """The words that opened the gate."""
    best = scene.best([*rule.get("codes", ()), *rule.get("lead", ()), *rule.get("pace", ())])
    return best.evidence if best else scene.first_sentence


def _shows(card: Mapping[str, Any]) -> str:
    """The technique that the demonstration of a gate shows."""
    rule = card["rule"]
    return str((rule.get("codes") or rule["pace"])[-1])
