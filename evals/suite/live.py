"""The same cases with a real model voicing the customer: many talks at once, within a budget of calls.

What the model said is kept (see `bot.model.cache`), so a run that was broken off asks only what is still missing.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace

from bot.errors import HuasuError, SetupError
from bot.model import Call, voice_model
from bot.parts import Parts
from bot.settings import Settings, get_settings
from bot.voice import ModelVoice, ScriptedVoice
from evals.simulate import open_parts
from evals.suite import simulator
from evals.suite.case import Case
from evals.suite.judge import judged
from evals.suite.results import CaseResult, RunResult, ordered
from evals.suite.run import Done, Place, prepare_index, versions

NO_MODEL = "没有配置模型。请设置 HUASU_VOICE_MODEL 和 OPENAI_BASE_URL（或 OPENAI_API_KEY），用 huasu doctor 检查。"


class BudgetSpentError(HuasuError):
    """The run may not ask the model any more."""


@dataclass
class Meter:
    """What a live run has used so far. Thread-safe."""

    budget: int
    calls: int = 0
    cached: int = 0
    failed: int = 0
    tokens: int = 0
    cost: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def record(self, call: Call) -> None:
        """One more call."""
        with self._lock:
            self.calls += not call.cached
            self.cached += call.cached
            self.failed += bool(call.error)
            self.tokens += call.prompt_tokens + call.answer_tokens
            self.cost += call.cost

    @property
    def spent(self) -> bool:
        """Whether the budget is used up."""
        return self.calls >= self.budget

    def totals(self) -> dict[str, float]:
        """For the report."""
        return {
            "问模型": self.calls,
            "用了缓存": self.cached,
            "失败": self.failed,
            "词元": self.tokens,
            "费用": round(self.cost, 4),
        }


def run_live(
    cases: Sequence[Case], place: Place, *, budget: int, concurrency: int, stop_first: bool, done: Done, suite: str,
    settings: Settings | None = None,
) -> RunResult:  # fmt: skip
    """Every talk with the model; what needs no voice runs as always. Raises `SetupError` without a model."""
    settings = settings or get_settings()
    if not settings.voice_ready:
        raise SetupError(NO_MODEL)
    settings = settings.model_copy(
        update={"model_concurrency": concurrency, "model_cache": settings.model_cache or place.home / "answers"}
    )
    meter = Meter(budget)
    parts = with_model(open_parts(place.root), settings, meter)
    index = prepare_index(place.root, place.home) if any(c.kind == "ask" for c in cases) else parts.finder
    found: list[CaseResult] = []
    skipped: list[str] = []
    with ThreadPoolExecutor(talks_at_once(concurrency)) as pool:
        futures = {pool.submit(_one, case, parts, meter, lambda: index): case for case in cases}
        for future in as_completed(futures):
            result = future.result()
            if result is None:
                skipped.append(futures[future].id)
                continue
            found.append(result)
            done(result)
            if stop_first and not result.ok:
                pool.shutdown(cancel_futures=True)
                break
    results = ordered(found, [c.id for c in cases])
    return RunResult(
        suite=suite, versions={**versions(place), "voice_model": settings.voice_model}, cases=results,
        overall=tuple(simulator.styles(results)), live={**meter.totals(), "超出预算没跑": len(skipped)},
    )  # fmt: skip


def talks_at_once(concurrency: int) -> int:
    """How many talks to have under way so that so many calls always are, while others are being read and checked."""
    return concurrency + (os.cpu_count() or 1)


def with_model(parts: Parts, settings: Settings, meter: Meter) -> Parts:
    """Parts whose customer a model voices."""
    prompts = settings.content_dir / "prompts"
    voice = ModelVoice(voice_model(settings, meter.record), ScriptedVoice(prompts / "lines"), prompts)
    return replace(parts, settings=settings, voice=voice)


def _one(case: Case, parts: Parts, meter: Meter, finder: object) -> CaseResult | None:
    if meter.spent:
        return None
    return judged(case, parts, finder)  # type: ignore[arg-type]
