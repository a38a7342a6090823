"""How far trainers' marks agree with the system's: quadratically weighted kappa with its interval. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.records import DIMENSIONS, Record, Remark

GRADES, SAMPLES, FEW = 5, 1000, 10
_STEP = np.arange(GRADES)
_WEIGHT = (_STEP[:, None] - _STEP[None, :]) ** 2 / (GRADES - 1) ** 2


class Agreement(Record):
    """One dimension: pairs of marks, how many are the same or next to each other, kappa and its 95 % interval.

    `kappa` is None where it cannot be told: fewer than two pairs, or one mark given throughout.
    """

    dimension: str
    n: int
    same: int
    near: int
    shift: float
    kappa: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def word(self) -> str:
        """In words; a small sample is called one."""
        if self.kappa is None:
            return "还算不出"
        if self.n < FEW:
            return "样本太少，只作参考"
        return (
            "很一致"
            if self.kappa >= 0.8
            else "较一致"
            if self.kappa >= 0.6
            else "一般"
            if self.kappa >= 0.4
            else "不一致"
        )


def agreement(marks: Iterable[Remark]) -> tuple[Agreement, ...]:
    """One line per dimension that has a pair of marks."""
    pairs: dict[str, list[tuple[float, float]]] = {}
    for m in marks:
        if m.system is not None:
            pairs.setdefault(m.dimension, []).append((m.system, m.score))
    return tuple(_one(d, pairs[d]) for d in DIMENSIONS if d in pairs)


def _one(dimension: str, pairs: list[tuple[float, float]]) -> Agreement:
    system, trainer = (grade([p[i] for p in pairs]) for i in (0, 1))
    apart = np.abs(system - trainer)
    low, high = interval(system, trainer)
    return Agreement(
        dimension=dimension, n=len(pairs), same=int((apart == 0).sum()), near=int((apart <= 1).sum()),
        shift=float(np.mean([t - s for s, t in pairs])), kappa=weighted_kappa(system, trainer), low=low, high=high,
    )  # fmt: skip


def grade(scores: Iterable[float]) -> NDArray[np.int64]:
    """Scores as whole marks 1-5, halves up."""
    return np.clip(np.floor(np.asarray(list(scores), dtype=float) + 0.5), 1, GRADES).astype(np.int64)


def weighted_kappa(a: NDArray[np.int64], b: NDArray[np.int64]) -> float | None:
    """Cohen's kappa with quadratic weights; None when one side gave a single mark throughout: that tells nothing."""
    if min(len(np.unique(a)), len(np.unique(b))) < 2:
        return None
    value = _kappas(_counts(a[None, :], b[None, :]))[0]
    return None if len(a) < 2 or np.isnan(value) else float(value)


def interval(a: NDArray[np.int64], b: NDArray[np.int64]) -> tuple[float | None, float | None]:
    """The 95 % bootstrap interval of kappa, the same for the same marks."""
    if weighted_kappa(a, b) is None:
        return None, None
    drawn = np.random.default_rng(7).integers(0, len(a), (SAMPLES, len(a)))
    values = _kappas(_counts(a[drawn], b[drawn]))
    values = values[~np.isnan(values)]
    if len(values) < SAMPLES // 2:
        return None, None
    low, high = np.percentile(values, (2.5, 97.5))
    return float(low), float(high)


def _counts(a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[Any]:
    cells = (a - 1) * GRADES + (b - 1)
    rows = np.arange(len(cells))[:, None] * GRADES**2
    return np.bincount((cells + rows).ravel(), minlength=len(cells) * GRADES**2).reshape(-1, GRADES, GRADES)


def _kappas(counts: NDArray[Any]) -> NDArray[np.float64]:
    seen = counts / counts.sum(axis=(1, 2), keepdims=True)
    chance = seen.sum(axis=2)[:, :, None] * seen.sum(axis=1)[:, None, :]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(1 - (seen * _WEIGHT).sum(axis=(1, 2)) / (chance * _WEIGHT).sum(axis=(1, 2)))
