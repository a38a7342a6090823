"""What the product decides from: per code, how much a word rule counts and how high the sum must be.

Fitted on a pass the network has not been trained on. With some thirty positives a code, each threshold is drawn
towards the one of its family, so that no code is tuned to the accidents of a few rows.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]
BONUS = (0.0, 1.0, 2.0, 3.0, 4.5, 6.0)
GRID = np.arange(-6.0, 4.01, 0.25, dtype=np.float32)
PULL = 0.04  # F1 lost per logit away from the family's threshold


def f1(wanted: Bools, found: Bools, beta: float = 1.0) -> float:
    """F-beta of one code over rows."""
    hit = float((wanted & found).sum())
    missed, false = float((wanted & ~found).sum()), float((~wanted & found).sum())
    b = beta * beta
    return (1 + b) * hit / max(1.0, (1 + b) * hit + b * missed + false)


def fit(
    logits: Floats, rules: Bools, wanted: Bools, families: Sequence[Sequence[int]], betas: Sequence[float]
) -> list[tuple[float, float]]:
    """(rule bonus, threshold) per code. Arrays are (rows, codes); `betas` weighs recall per family."""
    decided: list[tuple[float, float]] = [(0.0, 0.0)] * logits.shape[1]
    for family, beta in zip(families, betas, strict=True):
        members = list(family)
        bonus, middle = max(
            ((b, t) for b in BONUS for t in GRID),
            key=lambda bt: np.mean(
                [f1(wanted[:, c], logits[:, c] + bt[0] * rules[:, c] >= bt[1], beta) for c in members]
            ),
        )
        for c in members:
            decided[c] = max(
                ((b, float(t)) for b in BONUS for t in GRID if abs(t - middle) <= 2.5),
                key=lambda bt: (
                    f1(wanted[:, c], logits[:, c] + bt[0] * rules[:, c] >= bt[1], beta)
                    - PULL * abs(bt[1] - middle)
                    - 0.01 * abs(bt[0] - bonus)
                ),
            )
    return decided


def apply(logits: Floats, rules: Bools, decided: Sequence[tuple[float, float]]) -> Bools:
    """Which codes are found, (rows, codes)."""
    bonus = np.asarray([b for b, _ in decided], np.float32)
    threshold = np.asarray([t for _, t in decided], np.float32)
    return np.asarray(logits + bonus * rules >= threshold)
