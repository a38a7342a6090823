"""The one door to a language model: any OpenAI-compatible endpoint, inside the bank or outside."""

from __future__ import annotations

from bot.model.cache import Cache
from bot.model.calls import Call, Message, Recorder, estimate, on_behalf_of
from bot.model.door import Model
from bot.model.limits import Gate, shared_gate
from bot.settings import Settings

__all__ = [
    "Call",
    "Message",
    "Model",
    "Recorder",
    "draft_model",
    "estimate",
    "judge_model",
    "on_behalf_of",
    "voice_model",
]


def voice_model(settings: Settings, record: Recorder | None = None, gate: Gate | None = None) -> Model:
    """The model that voices the customer; `gate` is a limit shared with other processes."""
    return _model(settings, settings.voice_model, settings.voice_timeout, 0.8, 300, record, gate)


def judge_model(settings: Settings, record: Recorder | None = None, gate: Gate | None = None) -> Model:
    """The model that adds verdicts to the grade."""
    warmth = 0.0 if settings.judge_samples == 1 else 0.5  # samples that cannot differ would show no spread
    return _model(settings, settings.judge_model, settings.judge_timeout, warmth, 1800, record, gate)


def draft_model(settings: Settings, record: Recorder | None = None, gate: Gate | None = None) -> Model:
    """The model that drafts a case from a record of a complaint: the judge's, or the customer's when there is no judge."""
    name = settings.judge_model if settings.judge_ready else settings.voice_model
    return _model(settings, name, settings.judge_timeout, 0.2, 1800, record, gate)


def _model(
    settings: Settings, name: str, budget: float, temperature: float, max_tokens: int, record: Recorder | None,
    gate: Gate | None,
) -> Model:  # fmt: skip
    return Model(
        name, base_url=settings.base_url, api_key=settings.api_key.get_secret_value(), budget=budget,
        retries=settings.model_retries, temperature=temperature, max_tokens=max_tokens,
        gate=gate or shared_gate(settings.base_url, settings.model_concurrency),
        cache=Cache(settings.model_cache) if settings.model_cache else None,
        record=record, prices=(settings.price_question, settings.price_answer),
    )  # fmt: skip
