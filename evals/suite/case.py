"""What a case file may say. The JSON schema of these records is ``evals/dialogues/case.schema.json``.

A condition on a number is written ``"<60"``, ``">=40"`` or ``"30-50"``; a movement is 升, 降, 不升 or 不降.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from bot.records import VARIABLES, Record

Suite = Literal["customers", "grading", "retrieval", "injection"]
SUITES: tuple[Suite, ...] = ("customers", "grading", "retrieval", "injection")
Move = Literal["升", "降", "不升", "不降"]
NAMES = dict(zip(VARIABLES, ("愤怒", "委屈", "羞耻", "焦虑", "信任", "希望", "配合", "执着"), strict=True)) | {
    "R": "理智", "M": "情绪值",
}  # fmt: skip
CODES = {name: code for code, name in NAMES.items()}
_BOUND = re.compile(r"(<=|>=|<|>)\s*(-?\d+(?:\.\d+)?)|(-?\d+(?:\.\d+)?)\s*-\s*(\d+(?:\.\d+)?)")


def within(value: float, condition: str) -> bool:
    """Whether a number meets a condition such as ``<60`` or ``30-50``."""
    found = _BOUND.fullmatch(condition.strip())
    assert found is not None  # conditions are checked when a case is loaded
    if found[3]:
        return float(found[3]) <= value <= float(found[4])
    limit = float(found[2])
    return {"<": value < limit, "<=": value <= limit, ">": value > limit, ">=": value >= limit}[found[1]]


def _condition(text: str) -> str:
    if not _BOUND.fullmatch(text.strip()):
        raise ValueError("数值条件写成 <60、>=40 或 30-50")
    return text


def _variables(values: Mapping[str, object]) -> Mapping[str, object]:
    wrong = [name for name in values if name not in CODES]
    if wrong:
        raise ValueError(f"没有 {'、'.join(wrong)} 这一项状态，可用：{'、'.join(CODES)}")
    return values


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error:
        raise ValueError("这里要写正则表达式，括号要成对") from None
    return text


Condition = Annotated[str, AfterValidator(_condition)]
Pattern = Annotated[str, AfterValidator(_pattern)]
Ranges = Annotated[dict[str, Condition], AfterValidator(_variables)]
Moves = Annotated[dict[str, Move], AfterValidator(_variables)]
Causes = Annotated[dict[str, tuple[str, ...]], AfterValidator(_variables)]


class Expect(Record):
    """What must be true after one reply."""

    shows: tuple[str, ...] = Field(default=(), description="这些标签都要识别出来")
    shows_one: tuple[str, ...] = Field(default=(), description="至少识别出其中一个")
    clean_of: tuple[str, ...] = Field(default=(), description="不得出现的标签；anti=任何反模式，violation=任何违规")
    state: Ranges = Field(default={}, description="这一轮之后的状态范围，例：愤怒: '<60'")
    moves: Moves = Field(default={}, description="这一轮的方向，例：信任: 升")
    because: Causes = Field(default={}, description="这项状态的变化必须有其中一个原因（标签代码）")
    act: tuple[str, ...] = Field(default=(), description="客户这一轮的行为是其中之一")
    not_act: tuple[str, ...] = Field(default=(), description="客户不得有的行为")
    tells: tuple[str, ...] = Field(default=(), description="这一轮结束时必须已经说出的事实或需求（键）")
    keeps: tuple[str, ...] = Field(default=(), description="这一轮结束时还不得说出的事实或需求（键）")
    cites: tuple[str, ...] = Field(default=(), description="违规必须引到其中一条红线（RL 编号）或文件（R 编号）")
    says: Pattern = Field(default="", description="客户这句话里要有（正则）")
    says_not: Pattern = Field(default="", description="客户这句话里不得有（正则）")
    fails: tuple[str, ...] = Field(default=(), description="点评里这些检查项必须判为没做到")
    passes: tuple[str, ...] = Field(default=(), description="点评里这些检查项必须判为做到")
    refused: str = Field(default="", description="这句话不被接受，提示里要有这几个字")
    notice: str = Field(default="", description="给学员的提示里要有这几个字")


class Outcome(Record):
    """What must be true of the talk as a whole."""

    grade: tuple[Literal["S", "A", "B", "C", "D"], ...] = Field(default=(), description="等级是其中之一")
    final: Condition | None = Field(default=None, description="总分范围")
    satisfaction: Condition | None = Field(default=None, description="客户满意度范围")
    passed: bool | None = Field(default=None, description="是否通过")
    fatal: bool | None = Field(default=None, description="是否有致命违规")
    caps: tuple[str, ...] = Field(default=(), description="必须触发的封顶")
    no_caps: bool = Field(default=False, description="不得有任何封顶")
    gates: dict[str, bool] = Field(default={}, description="五步关卡，例：G1: true")
    dims: dict[str, Condition] = Field(default={}, description="维度分范围，例：compliance: '<=2'")
    ended: tuple[str, ...] = Field(
        default=(), description="谈话怎样结束：closed、hung_up、complained、crisis_missed、answered、open"
    )
    settled: bool | None = Field(default=None, description="客户是否接受（含暂时接受、接受现实）")
    tells: tuple[str, ...] = Field(default=(), description="全场必须说出的事实或需求")
    keeps: tuple[str, ...] = Field(default=(), description="全场不得说出的事实或需求")
    shows: tuple[str, ...] = Field(default=(), description="全场至少出现一次的标签")
    clean_of: tuple[str, ...] = Field(default=(), description="全场不得出现的标签")
    state: Ranges = Field(default={}, description="结束时的状态范围")
    turns: Condition | None = Field(default=None, description="轮数范围")
    labels_f1: Condition | None = Field(default=None, description="金标准对话：标签识别的 F1 范围")


class Reply(Record):
    """One reply of the learner, and what must come of it."""

    text: str
    expect: Expect = Expect()


class Case(Record):
    """One case: a talk, a pair of talks to compare, a gold dialogue, or a question to the knowledge base."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{2,60}$")
    about: str = Field(min_length=4, description="给培训师看的一句话：这个用例保证什么")
    suite: Suite = "customers"
    scenario: str = ""
    persona: str = ""
    seed: int = 1
    state: Annotated[dict[str, float], AfterValidator(_variables)] = Field(
        default={}, description="从谈到一半的状态开始：改写开场的状态值"
    )
    given: tuple[str, ...] = Field(default=(), description="前面已经说过的话，只铺垫，不检查")
    say: tuple[Reply, ...] = Field(default=(), description="学员一句一句说的话")
    learner: Literal["", "good", "middling", "bad", "conceding", "script", "attacker"] = Field(
        default="", description="由模拟学员来谈"
    )
    most: int = Field(default=15, ge=1, le=40, description="模拟学员最多说几轮")
    resume: bool = Field(default=False, description="每说一句都断开重来，结果必须和一口气谈完一样")
    rewind: int = Field(default=0, ge=0, description="谈完之后退回第几轮，从那里改说 instead")
    instead: tuple[Reply, ...] = ()
    expect: Outcome = Outcome()
    known: str = Field(default="", description="已知还做不到：写明原因；不算没过，做到了会提醒删掉这一行")

    better: tuple[str, ...] = Field(default=(), description="更好的说法：得分不得低于 worse")
    worse: tuple[str, ...] = ()
    margin: float = Field(default=0.0, ge=0, description="better 至少要高出几分")
    same: tuple[tuple[str, ...], ...] = Field(default=(), description="应当同分的几种说法")
    tolerance: float = Field(default=6.0, ge=0, description="same 里总分最多差几分")

    gold: str = Field(default="", description="金标准对话编号")

    ask: str = Field(default="", description="问知识库的一句话")
    finds: tuple[str, ...] = Field(default=(), description="任何一个在前几名里就算找到")
    top: int = Field(default=3, ge=1, le=10)

    @model_validator(mode="before")
    @classmethod
    def _plain_replies(cls, data: object) -> object:
        """A reply without expectations may be written as plain text."""
        if isinstance(data, dict):
            data = dict(data)
            for key in ("say", "instead"):
                if isinstance(data.get(key), list):
                    data[key] = [{"text": r} if isinstance(r, str) else r for r in data[key]]
        return data

    @model_validator(mode="after")
    def _one_kind(self) -> Case:
        kinds = [
            bool(self.say),
            bool(self.learner),
            bool(self.better or self.worse),
            bool(self.same),
            bool(self.gold),
            bool(self.ask),
        ]
        if sum(kinds) != 1:
            raise ValueError("say、learner、better/worse、same、gold、ask 要写且只写一种")
        if not (self.gold or self.ask or self.scenario):
            raise ValueError("缺少 scenario（场景编号）")
        if bool(self.better) != bool(self.worse):
            raise ValueError("better 和 worse 要成对")
        if self.ask and not self.finds:
            raise ValueError("缺少 finds（应当找到的文件）")
        if self.same and len(self.same) < 2:
            raise ValueError("same 至少写两种说法")
        if bool(self.rewind) != bool(self.instead) or (self.rewind and self.rewind > len(self.say)):
            raise ValueError("rewind 要配 instead，且不能超过 say 的句数")
        return self

    @property
    def kind(self) -> Literal["talk", "pair", "same", "gold", "ask"]:
        """What is done with this case."""
        if self.ask:
            return "ask"
        if self.gold:
            return "gold"
        return "pair" if self.better else "same" if self.same else "talk"
