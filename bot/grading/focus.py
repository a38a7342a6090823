"""At most three things to work on: the learner's words, a better wording, and the case that drills it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.grading.adjust import Talk
from bot.grading.checks import citations
from bot.grading.dims import dimension, hits, plain, short_name
from bot.grading.scene import Harm, Scene
from bot.grading.wording import for_harm, for_technique
from bot.records import Focus, Scenario, TurnGrade
from bot.scenarios import Library

_WRONG_REPLY_BONUS = 30.0


def focus(
    talk: Talk, scenario: Scenario, grades: Sequence[TurnGrade], dims: Mapping[str, float | None]
) -> tuple[Focus, ...]:
    """The gravest slips first, then the weakest dimensions that no slip already stands for."""
    limits = talk.rules["focus"]
    found: list[Focus] = []
    covered: set[str] = set()
    for scene, harm in _gravest(talk):
        found.append(_of_harm(talk, scenario, scene, harm))
        covered |= hits(talk.library, harm)
    weights = talk.library.rubric["scenario_types"][scenario.type]["weights"]
    weak = [(weights[d] * (limits["weak_below"] - s), d) for d, s in dims.items() if s is not None and d not in covered]
    for gap, code in sorted(weak, key=lambda w: (-w[0], w[1])):
        if gap > 0:
            found.append(_of_dimension(talk, scenario, grades, code))
    return tuple(found[: limits["max"]])


def _gravest(talk: Talk) -> list[tuple[Scene, Harm]]:
    worst: dict[str, tuple[Scene, Harm]] = {}
    times: dict[str, int] = {}
    for scene, harm in talk.harms():
        times[harm.code] = times.get(harm.code, 0) + 1
        if harm.code not in worst or harm.weight > worst[harm.code][1].weight:
            worst[harm.code] = (scene, harm)

    def gravity(pair: tuple[Scene, Harm]) -> tuple[float, int, str]:
        scene, harm = pair
        return (-harm.weight - times[harm.code], scene.turn.n, harm.code)

    return sorted(worst.values(), key=gravity)


def _of_harm(talk: Talk, scenario: Scenario, scene: Scene, harm: Harm) -> Focus:
    tax, name = talk.library.taxonomy, short_name(talk.library, harm.code)
    if harm.level == "anti":
        title, advice = f"改掉「{name}」", plain(talk.library, tax.antis[harm.code].rewrite)
    else:
        based = citations(scene, harm)
        title = f"{'红线' if harm.level == 'fatal' else '违规'}：{name}"
        advice = f"可以说的是：{tax.violations[harm.code].not_violation}" + (f"依据：{based[0]}。" if based else "")
    main = sorted(hits(talk.library, harm))[0] if harm.level == "anti" else "compliance"
    return Focus(
        title=title,
        advice=advice,
        turn=scene.turn.n,
        evidence=scene.quote(harm.evidence),
        better=for_harm(scene, harm),
        drill=drill(talk.library, scenario, main, harm.code),
    )


def _of_dimension(talk: Talk, scenario: Scenario, grades: Sequence[TurnGrade], code: str) -> Focus:
    dim = dimension(talk.library, code)
    scored = [(g.dims[code].score, g.n) for g in grades if code in g.dims]
    n = min(scored)[1] if scored else talk.last.turn.n
    scene = next(s for s in talk.scenes if s.turn.n == n)
    shown = next(g for g in grades if g.n == n).dims.get(code)
    technique = next((t for t in dim["techniques"] if t not in scene.codes), dim["techniques"][0])
    return Focus(
        title=f"练「{dim['name_zh'].split('（')[0]}」：{short_name(talk.library, technique)}",
        advice=plain(talk.library, f"{shown.why if shown else dim['question']}目标是：{dim['anchors']['4']}"),
        turn=n,
        evidence=shown.evidence if shown else scene.first_sentence,
        better=for_technique(scene, technique),
        drill=drill(talk.library, scenario, code),
    )


def drill(library: Library, current: Scenario, dim: str, code: str = "") -> str:
    """The case that trains a dimension most (and whose typical slip is this code), another than the current if any."""
    types = library.rubric["scenario_types"]

    def fit(case: Scenario) -> tuple[bool, float, int, str]:
        typical = _WRONG_REPLY_BONUS if any(w.code == code for w in case.wrong) else 0.0
        return (case.id != current.id, types[case.type]["weights"][dim] + typical, -case.difficulty, case.id)

    known = [case for case in library.scenarios.values() if not case.safety_note]  # nobody is sent into a crisis
    return max(known, key=fit).id
