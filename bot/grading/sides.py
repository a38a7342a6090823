"""Compliance seen from both sides: where the learner pressed too hard, and where he gave away too much."""

from __future__ import annotations

from bot.grading.adjust import Talk
from bot.grading.checks import citations
from bot.grading.dims import short_name
from bot.grading.scene import Harm, Scene
from bot.grading.wording import for_harm
from bot.records import Slip


def slips(talk: Talk) -> tuple[Slip, ...]:
    """Every word that was too hard or too soft, in order of turns."""
    sides: dict[str, list[str]] = talk.library.rubric["two_sided"]
    return tuple(
        _slip(scene, harm, "hard" if harm.code in sides["hard"] else "soft")
        for scene, harm in talk.harms()
        if harm.code in sides["hard"] or harm.code in sides["soft"]
    )


def _slip(scene: Scene, harm: Harm, side: str) -> Slip:
    rules = citations(scene, harm) if harm.level != "anti" else ()
    return Slip(
        side="hard" if side == "hard" else "soft",
        code=harm.code,
        name=short_name(scene.library, harm.code),
        level=harm.level,
        turn=scene.turn.n,
        evidence=scene.quote(harm.evidence),
        rule=rules[0] if rules else "",
        better=for_harm(scene, harm),
    )
