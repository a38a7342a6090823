"""How far a grader agrees with trainers, with itself, and with another grader. Plain arithmetic; no packages.

Intervals are percentile bootstraps with a fixed seed, so the same marks give the same figures.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

Marks = Sequence[float]
Measure = Callable[[Marks, Marks], float]
SAMPLES, LEVEL = 1000, 0.95


@dataclass(frozen=True)
class Estimate:
    """A figure with its interval and the number of pairs behind it."""

    value: float
    low: float
    high: float
    pairs: int

    def __str__(self) -> str:
        return f"{self.value:.2f}（{self.low:.2f}–{self.high:.2f}，{self.pairs} 对）"


def kappa(mine: Marks, theirs: Marks, weight: Callable[[float, float], float] | None = None) -> float:
    """Cohen's κ; with `weight` the disagreement of two marks, 0 for the same. 1 when both always say the same one thing."""
    _same_length(mine, theirs)
    apart = weight or (lambda a, b: float(a != b))
    n = len(mine)
    observed = sum(apart(a, b) for a, b in zip(mine, theirs, strict=True)) / n
    levels = sorted({*mine, *theirs})
    share = {side: {v: marks.count(v) / n for v in levels} for side, marks in (("m", list(mine)), ("t", list(theirs)))}
    expected = sum(share["m"][a] * share["t"][b] * apart(a, b) for a, b in product(levels, levels))
    return 1.0 if expected == 0 else 1 - observed / expected


def quadratic(mine: Marks, theirs: Marks) -> float:
    """κ with quadratic weights, for marks on a scale."""
    return kappa(mine, theirs, lambda a, b: (a - b) ** 2)


def spearman(mine: Marks, theirs: Marks) -> float:
    """The correlation of ranks, ties at their mean; 0 when one side never varies."""
    _same_length(mine, theirs)
    return _pearson(_ranks(mine), _ranks(theirs))


def _same_length(mine: Marks, theirs: Marks) -> None:
    if len(mine) != len(theirs) or not mine:
        raise ValueError("两列分数要一样长，且不能为空")


def _ranks(marks: Marks) -> list[float]:
    order = sorted(marks)
    first = {v: order.index(v) for v in set(order)}
    return [first[v] + (order.count(v) - 1) / 2 for v in marks]


def _pearson(x: Marks, y: Marks) -> float:
    mx, my = sum(x) / len(x), sum(y) / len(y)
    top = sum((a - mx) * (b - my) for a, b in zip(x, y, strict=True))
    size = (sum((a - mx) ** 2 for a in x) * sum((b - my) ** 2 for b in y)) ** 0.5
    return top / size if size else 0.0


def estimated(measure: Measure, mine: Marks, theirs: Marks, seed: int = 1) -> Estimate:
    """A measure with its bootstrap interval."""
    value, n, dice = measure(mine, theirs), len(mine), random.Random(seed)  # noqa: S311
    drawn = []
    for _ in range(SAMPLES):
        chosen = [dice.randrange(n) for _ in range(n)]
        drawn.append(measure([mine[i] for i in chosen], [theirs[i] for i in chosen]))
    drawn.sort()
    edge = (1 - LEVEL) / 2
    return Estimate(value, drawn[int(edge * SAMPLES)], drawn[int((1 - edge) * SAMPLES) - 1], n)


@dataclass(frozen=True)
class Comparison:
    """Two graders on the same talks: how much nearer to the trainer the second is, and whether that could be chance."""

    first: float
    second: float
    better: float
    low: float
    high: float
    p: float
    pairs: int

    @property
    def significant(self) -> bool:
        """Whether chance alone would do it in fewer than one of twenty times."""
        return self.p < 0.05


def compared(trainer: Marks, first: Marks, second: Marks, seed: int = 1) -> Comparison:
    """Paired by talk: mean absolute error of each, the difference with its interval, and a sign-flip test."""
    _same_length(trainer, first)
    _same_length(trainer, second)
    one = [abs(a - t) for a, t in zip(first, trainer, strict=True)]
    two = [abs(b - t) for b, t in zip(second, trainer, strict=True)]
    gains = [a - b for a, b in zip(one, two, strict=True)]
    n, dice = len(gains), random.Random(seed)  # noqa: S311
    mean = sum(gains) / n
    flips = [sum(g if dice.random() < 0.5 else -g for g in gains) / n for _ in range(SAMPLES)]
    p = (1 + sum(abs(f) >= abs(mean) - 1e-12 for f in flips)) / (SAMPLES + 1)
    drawn = sorted(sum(gains[dice.randrange(n)] for _ in range(n)) / n for _ in range(SAMPLES))
    edge = (1 - LEVEL) / 2
    return Comparison(
        sum(one) / n, sum(two) / n, mean, drawn[int(edge * SAMPLES)], drawn[int((1 - edge) * SAMPLES) - 1], p, n
    )
