"""Measure the customers: simulated learners against every case. Run with ``python -m evals.customers``.

Prints what must hold and what was found; exits 1 when something does not hold. `--words` reads replies by the word
rules alone (fast); without it the product's own appraiser reads them.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from multiprocessing import get_context
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bot.mind import MindRules, start, step
from bot.parts import Parts
from bot.records import Appraisal, Scenario, Technique
from bot.scenarios import Library, load_library
from bot.settings import get_settings
from evals.learners import LEARNERS
from evals.observe import Outcome, observe
from evals.simulate import cases, open_parts, play

SEEDS = range(5)
SPEED_TALKS, SPEED_TURNS = 1000, 10
QUALITIES, LONGEST = (0.5, 0.8, 1.2), 20
ORDER = ("good", "middling", "bad")
STANDARD = (
    ("pace_fact", "pace_emotion"), ("pace_expectation", "pace_emotion"), ("pace_motive", "lead_solution"),
    ("probe_6w3h",), ("iceberg_dig",), ("probe_6w3h", "same_side"), ("third_option", "soft_explain"),
    ("expectation_mgmt", "small_help"), ("third_option", "warm_close"),
)  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """One thing that must hold, what was measured, and whether it does."""

    name: str
    wanted: str
    found: str
    holds: bool


def measure(parts: Parts, scenarios: Iterable[str], seeds: Iterable[int], learners: Iterable[str]) -> list[Outcome]:
    """Every learner with every case at every seed."""
    return [observe(play(parts, s, who, seed)) for s, seed, who in product(scenarios, seeds, learners)]


def findings(outcomes: Sequence[Outcome]) -> list[Finding]:
    """What the outcomes say about each requirement."""
    by = {who: [o for o in outcomes if o.learner == who] for who in LEARNERS}
    good = share(o.success for o in by["good"])
    bad = share(o.success or o.accepted for o in by["bad"])
    conceded = sum(o.passed for o in by["conceding"])
    ordered = share(_pairs(outcomes))
    wrong = {name: sum(getattr(o, name) for o in outcomes)
             for name in ("unearned", "out_of_role", "repeated", "early_facts")}  # fmt: skip
    others = sum(o.accepted or o.passed for who in ("script", "attacker") for o in by[who])
    return [
        Finding("好学员谈成", "≥ 95%", f"{good:.1%}（{len(by['good'])} 场）", good >= 0.95),
        Finding("差学员谈成", "0%", f"{bad:.1%}", bad == 0),
        Finding("乱许诺的学员通过", "0 场", f"{conceded} 场", conceded == 0),
        Finding("背套话、搞攻击的学员谈成或通过", "0 场", f"{others} 场", others == 0),
        Finding("满意度 好＞中＞差", "≥ 98% 的对子", f"{ordered:.1%}", ordered >= 0.98),
        Finding("没来由的松动", "0 轮", f"{wrong['unearned']} 轮 / {len(outcomes)} 场", wrong["unearned"] == 0),
        Finding("串角色、替学员说话", "0 轮", f"{wrong['out_of_role']} 轮", wrong["out_of_role"] == 0),
        Finding("同一场里重复同一句", "0 轮", f"{wrong['repeated']} 轮", wrong["repeated"] == 0),
        Finding("没到条件就吐露", "0 轮", f"{wrong['early_facts']} 轮", wrong["early_facts"] == 0),
    ]


def share(values: Iterable[bool]) -> float:
    """The share of true ones; 0 for none."""
    found = list(values)
    return sum(found) / len(found) if found else 0.0


def _pairs(outcomes: Sequence[Outcome]) -> list[bool]:
    felt = {(o.scenario, o.seed, o.learner): o.satisfaction for o in outcomes if not _drill(o.scenario)}
    keys = sorted({(s, n) for s, n, _ in felt})
    found = []
    for scenario, seed in keys:
        one = [felt[scenario, seed, who] for who in ORDER]
        found += [one[0] > one[1], one[1] > one[2], one[0] > one[2]]
    return found


def _drill(scenario: str) -> bool:
    return "-" in scenario


def by_difficulty(outcomes: Sequence[Outcome], library: Library) -> tuple[Table, list[Finding]]:
    """How long and how well one must play at each level of difficulty, and how the learners' customers felt."""
    table = Table("难度", "几轮谈成", *(f"说到 {q:g} 分" for q in QUALITIES), "好学员满意度", "中等学员满意度")
    rates: dict[tuple[int, float], float] = {}
    needed, felt = [], []
    for level in range(1, 6):
        here = [s for s in library.scenarios.values() if s.difficulty == level and not s.drills]
        for q in QUALITIES:
            rates[level, q] = share(bool(standard(s, library, q, len(STANDARD))) for s in here)
        needed.append(statistics.mean(standard(s, library, QUALITIES[-1], LONGEST) or LONGEST for s in here))
        felt.append([_felt(outcomes, level, who) for who in ("good", "middling")])
        marks = (f"{rates[level, q]:.0%}" for q in QUALITIES)
        table.add_row(str(level), f"{needed[-1]:.1f}", *marks, *(f"{x:.0f}" for x in felt[-1]))
    easy = statistics.mean([rates[1, 0.8], rates[2, 0.8]])
    hard = statistics.mean([rates[4, 0.8], rates[5, 0.8]])
    sharper = all(rates[n, q] >= rates[n + 1, q] for n in range(1, 5) for q in QUALITIES)
    grades = [statistics.mean(needed[:2]), needed[2], statistics.mean(needed[3:])]  # two cases at each end are too few
    longer = all(a < b for a, b in pairwise(grades))
    satisfied = [x[0] for x in felt]
    return table, [
        Finding("难度 1–2：九轮标准打法说到 0.8 就完全接受", "＞ 80%", f"{easy:.0%}", easy > 0.8),
        Finding("难度 4–5：九轮标准打法说到 0.8 仍不够", "＜ 40%", f"{hard:.0%}", hard < 0.4),
        Finding("越难越要说得准", "各档不升", "是" if sharper else "否", sharper),
        Finding("越难越要谈得久", "易＜中＜难", "＜".join(f"{n:.1f}" for n in grades) + " 轮", longer),
        Finding("越难满意度越低", "1＞3＞5", "＞".join(f"{satisfied[i]:.0f}" for i in (0, 2, 4)),
                satisfied[0] > satisfied[2] > satisfied[4]),
    ]  # fmt: skip


def _felt(outcomes: Sequence[Outcome], level: int, who: str) -> float:
    mine = [o.satisfaction for o in outcomes if (o.difficulty, o.learner) == (level, who) and not _drill(o.scenario)]
    return statistics.mean(mine) if mine else 0.0


def standard(scenario: Scenario, library: Library, quality: float, most: int) -> int:
    """The turn at which standard play of one quality brings full acceptance; 0 when it does not. No words, pure mind."""
    rules = MindRules(library.mind_rules, library.taxonomy)
    mind = start(scenario, None, rules)
    for n in range(most):
        codes = STANDARD[n] if n < len(STANDARD) else STANDARD[4 + n % 5]
        shown = [Technique(code=c, quality=quality, evidence="", start=i) for i, c in enumerate(codes)]
        if scenario.goal == "safe" and n < 3:
            shown.append(Technique(code="crisis_safety", quality=quality, evidence="", start=9))
        done = step(mind, Appraisal(techniques=tuple(shown), ticket=True), scenario, rules)
        mind = done.mind
        if "accept" in done.act.allowed:
            return n + 1
    return 0


def _work(job: tuple[Path, bool, tuple[str, ...], int]) -> list[Outcome]:
    root, semantic, chosen, seeds = job
    return measure(open_parts(root, semantic=semantic), chosen, range(seeds), LEARNERS)


def _timed(job: tuple[Path, bool, int, int]) -> tuple[float, float, int, int]:
    """Seconds in all, seconds of appraisal, turns and talks of one worker's share of the speed run."""
    root, semantic, worker, talks = job
    parts = open_parts(root, semantic=semantic)
    spent, read = 0.0, parts.appraiser.appraise

    def timed(reply, context):  # type: ignore[no-untyped-def]
        nonlocal spent
        since = time.perf_counter()
        try:
            return read(reply, context)
        finally:
            spent += time.perf_counter() - since

    parts.appraiser.appraise = timed  # type: ignore[method-assign]
    everyone = [(s, who) for s in cases(parts) if not _drill(s) for who in ("good", "middling", "attacker")]
    began, turns = time.perf_counter(), 0
    for i in range(talks):
        scenario, who = everyone[(worker + 2 * i) % len(everyone)]
        turns += len(play(parts, scenario, who, i, most=SPEED_TURNS).turns)
    return time.perf_counter() - began, spent, turns, talks


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, judge."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--words", action="store_true", help="word rules only")
    options.add_argument("--seeds", type=int, default=len(SEEDS))
    options.add_argument("--workers", type=int, default=2)
    options.add_argument("--no-speed", action="store_true")
    asked = options.parse_args(argv)
    root = get_settings().content_dir
    library, pool = load_library(root), get_context("spawn").Pool(asked.workers)
    wanted = [d for s in library.scenarios.values() for d in ([x.id for x in s.drills] or [s.id])]
    jobs = [
        (root, not asked.words, tuple(wanted[i :: asked.workers * 4]), asked.seeds) for i in range(asked.workers * 4)
    ]
    with pool:
        outcomes = [o for part in pool.map(_work, jobs, chunksize=1) for o in part]
        levels, more = by_difficulty(outcomes, library)
        found = findings(outcomes) + more
        if not asked.no_speed:
            found.append(_speed(pool.map(_timed, [(root, not asked.words, n, SPEED_TALKS // 2) for n in (0, 1)])))
    _print(outcomes, levels, found)
    return 0 if all(f.holds for f in found) else 1


def _speed(parts: Sequence[tuple[float, float, int, int]]) -> Finding:
    wall, reading = max(p[0] for p in parts), max(p[1] for p in parts)
    turns, talks = sum(p[2] for p in parts), sum(p[3] for p in parts)
    text = f"{wall:.0f} 秒（{talks} 场、{turns} 轮；其中识别占 {reading / wall:.0%}，其余 {wall - reading:.0f} 秒）"
    return Finding("一千场十轮，两个进程", "≤ 60 秒", text, wall <= 60)


def _print(outcomes: Sequence[Outcome], levels: Table, found: Sequence[Finding]) -> None:
    console, table = Console(), Table("学员", "场", "平均轮数", "谈成", "接受", "通过", "总分", "满意度")
    for who in LEARNERS:
        mine = [o for o in outcomes if o.learner == who]
        table.add_row(
            who, str(len(mine)), f"{statistics.mean(o.turns for o in mine):.1f}", f"{share(o.success for o in mine):.0%}",
            f"{share(o.accepted for o in mine):.0%}", f"{share(o.passed for o in mine):.0%}",
            f"{statistics.mean(o.final for o in mine):.0f}", f"{statistics.mean(o.satisfaction for o in mine):.0f}",
        )  # fmt: skip
    console.print(table, levels)
    missed = sorted({o.scenario for o in outcomes if o.learner == "good" and not o.success})
    for f in found:
        console.print(f"{'[green]达到[/green]' if f.holds else '[red]未达[/red]'} {f.name}：{f.wanted}，实测 {f.found}")
    if missed:
        console.print(f"好学员没谈成的场景：{'、'.join(missed)}")


if __name__ == "__main__":
    sys.exit(main())
