"""Simulated learners against the customers: a smaller version of ``python -m evals.customers``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.parts import Parts
from bot.session import Session
from evals.customers import by_difficulty, findings, measure
from evals.learners import LEARNERS, View, lines
from evals.observe import Outcome, out_of_role, repeated
from evals.simulate import open_parts, play
from tests.conftest import ROOT

SAMPLE = ("SC01", "SC04", "SC08", "SC12", "SC15", "SC18", "SC20", "SC26", "SC29", "SC30", "SC33", "SC38", "SC39-3")


@pytest.fixture(scope="module")
def parts() -> Parts:
    return open_parts(ROOT, semantic=False)


@pytest.fixture(scope="module")
def outcomes(parts: Parts) -> list[Outcome]:
    return measure(parts, SAMPLE, (0, 1), LEARNERS)


def test_everything_that_must_hold_holds(outcomes: list[Outcome]) -> None:
    failed = [f for f in findings(outcomes) if not f.holds]
    assert not failed, failed


def test_the_measurement_notices_what_is_wrong(outcomes: list[Outcome]) -> None:
    one = outcomes[0]
    spoil: tuple[dict[str, Any], ...] = (
        {"learner": "bad", "accepted": True}, {"learner": "conceding", "passed": True}, {"learner": "attacker", "passed": True},
        {"unearned": 1}, {"out_of_role": 1}, {"repeated": 1}, {"early_facts": 1},
    )  # fmt: skip
    before = sum(f.holds for f in findings(outcomes))
    for change in spoil:
        assert sum(f.holds for f in findings([*outcomes, replace(one, **change)])) < before, change


def test_difficulty_shows(parts: Parts) -> None:
    _, found = by_difficulty([], parts.library)
    assert all(f.holds for f in found if "满意度" not in f.name), found


def test_learners_see_only_what_a_learner_may_see(parts: Parts) -> None:
    session = Session.start(parts, "SC01", seed=1)
    seen = View.of(session).scenario
    hidden = session.snapshot.scenario
    text = seen.model_dump_json()
    for secret in (*hidden.facts.values(), hidden.need_business, hidden.need_emotional, *hidden.triggers):
        assert secret not in text
    assert not seen.init and not seen.traits and seen.opening == hidden.opening


def test_every_case_has_its_own_sentences_for_the_good_learner(parts: Parts) -> None:
    own = lines()["good"]
    wanted = {s.id for s in parts.library.scenarios.values() if s.goal == "accept" and not s.drills}
    assert set(own) == wanted
    assert all(set(x) == {"feel", "want", "motive", "guess", "plan"} for x in own.values())
    flat = [text for x in own.values() for text in x.values()]
    assert len(set(flat)) == len(flat)


@pytest.mark.parametrize("persona", ["agent", "joker", "ringleader"])
def test_a_persona_stays_in_role(persona: str, parts: Parts) -> None:
    for seed in (1, 2):
        talk = play(parts, "SC03" if persona != "joker" else "SC01", "good", seed, persona=persona)
        assert not [i for i in range(len(talk.turns)) if out_of_role(talk, i) or repeated(talk, i)]
