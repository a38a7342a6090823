"""Whether the cases would notice: faults planted one at a time in memory, each of which must turn a case red.

Run with ``make mutants``. Nothing on disk is changed. A mutant that no case notices is a hole in the cases, and the
exit code says so.
"""

from __future__ import annotations

import copy
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast
from unittest.mock import patch

from rich.console import Console
from rich.table import Table

from bot import privacy
from bot.appraisal import Appraiser, reader
from bot.grading import gates
from bot.mind import MindRules, acts, engine
from bot.parts import Finder, Parts
from bot.records import Appraisal, Context, Cue, Passage, Technique, Utterance
from bot.settings import get_settings
from bot.store import Memory
from evals.simulate import open_parts
from evals.suite import simulator
from evals.suite.case import Case
from evals.suite.judge import judged
from evals.suite.load import load
from evals.suite.results import CaseResult
from evals.suite.run import prepare_index

MOST = 14
"""Cases tried before a mutant is called unnoticed, the likely ones first."""
Plant = Callable[[Parts, ExitStack], Parts]


@dataclass(frozen=True)
class Mutant:
    """One planted fault. `likely`: beginnings of the ids of cases to try first."""

    name: str
    plant: Plant
    likely: tuple[str, ...]


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant: the first case that turned red and why; empty when it lived."""

    mutant: str
    case: str = ""
    fault: str = ""
    tried: int = 0


class Says:
    """A voice whose lines are tampered with."""

    def __init__(self, inner: Any, change: Callable[[Cue, str], str]) -> None:
        self._inner, self._change = inner, change

    def speak(self, cue: Cue) -> Utterance:
        """The tampered line."""
        said: Utterance = self._inner.speak(cue)
        return said.model_copy(update={"text": self._change(cue, said.text)})


class Reads:
    """An appraiser whose readings are tampered with."""

    def __init__(self, inner: Appraiser, change: Callable[[str, Appraisal], Appraisal]) -> None:
        self._inner, self._change, self.version = inner, change, inner.version

    def appraise(self, reply: str, context: Context) -> Appraisal:
        """The tampered reading."""
        return self._change(reply, self._inner.appraise(reply, context))


class Worst:
    """A finder that ranks upside down."""

    def __init__(self, inner: Finder) -> None:
        self._inner = inner

    def find(self, query: str, collection: str | None = None, k: int = 6) -> tuple[Passage, ...]:
        """The least likely passages first."""
        return tuple(reversed(self._inner.find(query, collection, 40)))[:k]


def minds(change: Callable[[dict[str, Any]], None]) -> Plant:
    """A fault in the parameters of the mind."""

    def plant(parts: Parts, _stack: ExitStack) -> Parts:
        library = copy.copy(parts.library)
        library.mind_rules = copy.deepcopy(library.mind_rules)
        change(library.mind_rules)
        return replace(parts, library=library, rules=MindRules(library.mind_rules, library.taxonomy))

    return plant


def rubrics(change: Callable[[dict[str, Any]], None]) -> Plant:
    """A fault in the rubric."""

    def plant(parts: Parts, _stack: ExitStack) -> Parts:
        library = copy.copy(parts.library)
        library.rubric = copy.deepcopy(library.rubric)
        change(library.rubric)
        return replace(parts, library=library)

    return plant


def voices(change: Callable[[Cue, str], str]) -> Plant:
    """A fault in what the customer says."""
    return lambda parts, _stack: replace(parts, voice=Says(parts.voice, change))


def readings(change: Callable[[str, Appraisal], Appraisal]) -> Plant:
    """A fault in how replies are read."""
    return lambda parts, _stack: replace(parts, appraiser=cast(Appraiser, Reads(parts.appraiser, change)))


def patched(target: Any, name: str, value: Any) -> Plant:
    """A function replaced by a wrong one."""

    def plant(parts: Parts, stack: ExitStack) -> Parts:
        stack.enter_context(patch.object(target, name, value))
        return parts

    return plant


def _set(*path: Any) -> Callable[[dict[str, Any]], None]:
    """Set one parameter: the keys that lead to it, then the value."""

    def change(data: dict[str, Any]) -> None:
        at: Any = data
        for key in path[:-2]:
            at = at[key]
        at[path[-2]] = path[-1]

    return change


def _flip(code: str) -> Callable[[dict[str, Any]], None]:
    def change(data: dict[str, Any]) -> None:
        data["effects"][code] = [-x for x in data["effects"][code]]

    return change


def _wide_gate(data: dict[str, Any]) -> None:
    data["gate"] |= {"from": -200, "closed_below": 0.0}


def _loose(behaviour: str) -> Callable[[dict[str, Any]], None]:
    def change(data: dict[str, Any]) -> None:
        for name in list(data["behaviours"][behaviour]):
            data["behaviours"][behaviour][name] = 100 if name in ("A", "D") else 0

    return change


def _open_book(data: dict[str, Any]) -> None:
    for name in ("disclose_L1", "disclose_L2", "disclose_L3"):
        _loose(name)(data)


def _praise(reply: str, read: Appraisal) -> Appraisal:
    words = reply[: max(1, len(reply) // 2)]
    found = [Technique(code=c, quality=1.2, evidence=words, start=0) for c in ("pace_emotion", "third_option")]
    return read.model_copy(update={"techniques": tuple(found), "antis": (), "violations": ()})


def _misquote(reply: str, read: Appraisal) -> Appraisal:
    return read.model_copy(
        update={"techniques": tuple(t.model_copy(update={"evidence": f"“{t.evidence}”"}) for t in read.techniques)}
    )


def _wrong_article(reply: str, read: Appraisal) -> Appraisal:
    spoilt = [
        v.model_copy(update={"citations": tuple(c.model_copy(update={"article": "第999条"}) for c in v.citations)})
        for v in read.violations
    ]
    return read.model_copy(update={"violations": tuple(spoilt)})


def _uncited(reply: str, read: Appraisal) -> Appraisal:
    return read.model_copy(
        update={"violations": tuple(v.model_copy(update={"citations": (), "redline": ""}) for v in read.violations)}
    )


def _without(part: str) -> Callable[[str, Appraisal], Appraisal]:
    return lambda _reply, read: read.model_copy(update={part: ()})


def _plain(parts: Parts, _stack: ExitStack) -> Parts:
    inner = parts.voice

    class Plain:
        def speak(self, cue: Cue) -> Utterance:
            return inner.speak(cue.model_copy(update={"persona": None}))

    return replace(parts, voice=Plain())


def _forgets(parts: Parts, stack: ExitStack) -> Parts:
    stack.enter_context(patch.object(Memory, "turns", lambda self, session_id: tuple(self.kept[session_id])[:1]))
    return parts


def _heard(appraisal: Appraisal) -> tuple[tuple[str, float], ...]:
    return tuple((t.code, t.quality) for t in appraisal.techniques)


def _deaf_to_danger(parts: Parts, stack: ExitStack) -> Parts:
    stack.enter_context(patch.object(engine, "_labels", _heard))
    return readings(_without("violations"))(parts, stack)


def _random_seed(cue: Cue, text: str) -> str:
    return f"{text}（{time.perf_counter_ns() % 997}）"


MUTANTS: tuple[Mutant, ...] = (
    Mutant("效果表：接纳情绪的正负号写反", minds(_flip("pace_emotion")), ("tech-pace-emotion", "talk-eight")),
    Mutant("效果表：否定情绪的正负号写反", minds(_flip("deny_emotion")), ("anti-deny-emotion",)),
    Mutant("效果表：肯定动机不再起作用", minds(_set("effects", "pace_motive", [0] * 8)), ("tech-pace-motive",)),
    Mutant("效果表：恐吓不伤信任", minds(_set("effects", "threat_intimidate", [18, 12, 4, 15, 20, 8, 12, 6])), ("breach-threat",)),
    Mutant("理智门控敞开：火气再大也听得进方案", minds(_wide_gate), ("early-",)),
    Mutant("承诺落空没有后果", minds(_set("promise_broken", [0] * 8)), ("talk-promise",)),
    Mutant("吐露的门槛没了：问什么说什么", minds(_open_book), ("talk-middle-distrust", "talk-middle")),
    Mutant("接受的门槛没了：给个方案就答应", minds(_loose("accept")), ("talk-middle-no-deal", "early-third")),
    Mutant("客户从不挂断、从不投诉", patched(acts, "_leaves", lambda _s: False), ("talk-hang-up",)),
    Mutant("碰了红线客户没反应", patched(MindRules, "visible_fatal", lambda self, code: False), ("breach-",)),
    Mutant("轻生的话没接住，谈话照样继续", _deaf_to_danger, ("talk-crisis-kind", "talk-crisis")),
    Mutant("评分：致命违规不再封顶", rubrics(_set("session_composition", "red_line_caps", "fatal", "cap", 100)), ("breach-", "grade-cap")),
    Mutant("评分：严重违规不再封顶", rubrics(_set("session_composition", "red_line_caps", "serious", "cap", 100)), ("grade-cap-serious",)),
    Mutant("评分：谁都通过", patched(sys.modules["bot.grading.report"], "_passes", lambda *_: True), ("breach-", "sc01-bad")),
    Mutant("评分：先跟后带不看次序", patched(gates, "_RULES", {**gates._RULES, "G2": lambda *_: []}), ("grade-gate-order",)),
    Mutant("评分：等级线一律降到零", rubrics(_set("session_composition", "grade_from", {"S": 0, "A": 0, "B": 0, "C": 0, "D": 0})), ("sc02-bad", "gold-")),
    Mutant("识别：违规一条也看不见", readings(_without("violations")), ("breach-",)),
    Mutant("识别：反模式一个也看不见", readings(_without("antis")), ("anti-",)),
    Mutant("识别：说什么都算共情和第三选择", readings(_praise), ("anti-", "inject-")),
    Mutant("识别：依据不是学员的原话", readings(_misquote), ("tech-pace-emotion",)),
    Mutant("引用：条号指向不存在的条文", readings(_wrong_article), ("breach-",)),
    Mutant("引用：违规没有依据", readings(_uncited), ("breach-",)),
    Mutant("台词：把心里的渴望直接说出来（提示词泄底）", voices(lambda c, t: f"{t}{c.scenario.need_emotional}"), ("anti-", "sc04-bad")),
    Mutant("台词：客户变客气了，句句道谢", voices(lambda _c, t: f"谢谢您，{t}"), ("persona-hot", "persona-agent")),
    Mutant("台词：客户替银行说话", voices(lambda _c, t: f"{t}我们银行会尽快为您办理。"), ("sc01-bad",)),
    Mutant("台词：客户替学员把话说完", voices(lambda c, t: f"{t}\n客户经理：{c.reply}"), ("sc01-bad",)),
    Mutant("台词：翻来覆去一句话", voices(lambda _c, _t: "你们就是不讲理，我不听你说这些！"), ("sc01-bad", "persona-")),
    Mutant("台词：凭空编出金额", voices(lambda _c, t: f"{t}我外头还欠着三十七万八呢！"), ("sc01-bad",)),
    Mutant("台词：嘴上先答应了", voices(lambda _c, t: f"{t}我同意，就按你说的办。"), ("anti-", "sc01-bad")),
    Mutant("人设：说话都一个样", _plain, ("persona-agent-long", "persona-cold-long", "persona-merchant-long", "persona-silent-long")),
    Mutant("断线重来丢了前面的话", _forgets, ("talk-resume",)),
    Mutant("同一种子说法不同（不可重现）", voices(_random_seed), ("talk-resume", "talk-rewind")),
    Mutant("隐私：手机号不打码", patched(privacy, "mask", lambda text, known=(): (text, ())), ("edge-phone",)),
    Mutant("注入：给机器的话照样算技巧", patched(reader, "machine_parts", lambda _t: ()), ("inject-",)),
    Mutant("检索：把最不像的排在前面", lambda parts, _stack: replace(parts, finder=Worst(parts.finder)), ("ask-",)),
)  # fmt: skip


def hunt(
    parts: Parts, cases: Sequence[Case], mutants: Sequence[Mutant] = MUTANTS, most: int = 10_000
) -> Iterator[Verdict]:
    """Plant each mutant and look for a case that was fine and is not any more; `most` cases are tried for each."""
    fine: dict[str, CaseResult] = {}
    for mutant in mutants:
        yield _hunted(mutant, parts, _by_likelihood(mutant, cases)[:most], fine)


def _by_likelihood(mutant: Mutant, cases: Sequence[Case]) -> list[Case]:
    def rank(case: Case) -> int:
        return next((i for i, start in enumerate(mutant.likely) if case.id.startswith(start)), len(mutant.likely))

    return sorted((c for c in cases if not c.known), key=rank)


def _hunted(mutant: Mutant, parts: Parts, cases: Sequence[Case], fine: dict[str, CaseResult]) -> Verdict:
    seen: list[CaseResult] = []
    for tried, case in enumerate(cases, 1):
        if case.id not in fine:
            fine[case.id] = judged(case, parts, lambda: parts.finder)
        with ExitStack() as stack:
            sick = mutant.plant(parts, stack)
            result = judged(case, sick, lambda sick=sick: sick.finder)  # type: ignore[misc]
        seen.append(result)
        new = {f.key: f for f in result.faults if f.key not in {x.key for x in fine[case.id].faults}}
        style = simulator.styles(seen)
        if new or (style and not simulator.styles([fine[r.id] for r in seen])):
            fault = next(iter(new.values()), style[0] if style else None)
            return Verdict(
                mutant.name, case.id, f"{fault.check}：应当 {fault.wanted}，实际 {fault.found}" if fault else "", tried
            )
    return Verdict(mutant.name, tried=len(cases))


def table(verdicts: Sequence[Verdict]) -> Table:
    """The verdicts for people."""
    made = Table("植入的错误", "变红的用例", "怎么发现的")
    for v in verdicts:
        made.add_row(v.mutant, v.case or f"[red]没有被发现（试了 {v.tried} 个）[/red]", v.fault[:70])
    return made


def main() -> int:
    """Hunt and print; 1 when a mutant lived."""
    settings = get_settings()
    root, home = settings.content_dir.resolve(), settings.data_dir.resolve() / "evals"
    parts = replace(open_parts(root), finder=prepare_index(root, Path(home)))
    verdicts = []
    for verdict in hunt(parts, load(), most=MOST):
        sys.stderr.write(f"{'发现' if verdict.case else '漏掉'} {verdict.mutant}\n")
        verdicts.append(verdict)
    Console(width=140).print(table(verdicts))
    lived = sum(not v.case for v in verdicts)
    print(f"植入 {len(verdicts)} 个错误，发现 {len(verdicts) - lived} 个" + (f"，漏掉 {lived} 个" if lived else ""))
    return 1 if lived else 0


if __name__ == "__main__":
    sys.exit(main())
