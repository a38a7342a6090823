"""What a session's models took, and how often their lines had to be put right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from bot.model import Call
from bot.records import Turn

_COUNTED = ("prompt_tokens", "answer_tokens", "seconds", "cost")


def by_purpose(calls: Iterable[Call]) -> dict[str, dict[str, float]]:
    """Calls, tokens, seconds and cost by purpose; an answer kept on disk took nothing and is not counted."""
    totals: dict[str, dict[str, float]] = {}
    for call in calls:
        if call.cached:
            continue
        total = totals.setdefault(call.purpose, dict.fromkeys(("calls", *_COUNTED), 0.0))
        total["calls"] += 1
        for name in _COUNTED:
            total[name] += getattr(call, name)
    return totals


def interventions(turns: Iterable[Turn]) -> dict[str, int]:
    """How often each fault was found in a model's line, and what was done about it, most frequent first."""
    counts: Counter[str] = Counter()
    for turn in turns:
        counts.update(turn.answer.faults)
        counts.update([turn.answer.repair] if turn.answer.repair else [])
    return dict(counts.most_common())
