"""One case in, one result out: play it, check it, keep what was seen. Errors of the product are faults of the case."""

from __future__ import annotations

from collections.abc import Callable

from bot import transcripts
from bot.errors import HuasuError
from bot.mind import MindRules
from bot.parts import Finder, Parts
from evals import gold
from evals.suite import checks, grader, simulator
from evals.suite.case import Case, within
from evals.suite.play import Played, play
from evals.suite.results import CaseResult, Fault, Seen

OpenFinder = Callable[[], Finder]


def judged(case: Case, parts: Parts, finder: OpenFinder) -> CaseResult:
    """The result of one case, whatever happens."""
    head = {
        "id": case.id,
        "suite": case.suite,
        "about": case.about,
        "scenario": case.scenario,
        "persona": case.persona,
        "known": case.known,
    }
    try:
        run = {"talk": _talk, "pair": _compared, "same": _compared, "gold": _gold}.get(case.kind)
        found = run(case, parts) if run else _asked(case, finder())
    except HuasuError as error:
        return CaseResult(**head, faults=(_error(str(error)),))
    except Exception as error:  # a crash of the product is what a regression suite is for
        return CaseResult(**head, faults=(_error(f"{type(error).__name__}: {error}"),))
    return found.model_copy(update=head)


def _error(text: str) -> Fault:
    return Fault(kind="error", check="error", wanted="跑完", found=text)


def _empty(**changes: object) -> CaseResult:
    return CaseResult.model_validate({"id": "-", "suite": "-", "about": "-", **changes})


def _talk(case: Case, parts: Parts) -> CaseResult:
    played: Played = play(parts, case)
    turns = played.talk.turns
    report = played.talk.report() if turns else None
    found = checks.expectations(played, report, parts.library)
    if report is None:
        return _empty(faults=tuple(found))
    found += simulator.faults(played.talk)
    found += grader.faults(played.talk, report, parts)
    return _empty(
        faults=tuple(found), turns=tuple(map(Seen.of, turns)), outcome=checks.outcome(played, report, parts.library)
    )


def _compared(case: Case, parts: Parts) -> CaseResult:
    found, talks, outcome = grader.compared(parts, case)
    return _empty(faults=tuple(found), turns=tuple(Seen.of(t) for talk in talks for t in talk.turns), outcome=outcome)


def _gold(case: Case, parts: Parts) -> CaseResult:
    dialogue = next((g for g in gold.dialogues() if g["id"] == case.gold), None)
    if dialogue is None:
        return _empty(faults=(_error(f"没有金标准对话 {case.gold}。请对照 evals/dialogues/gold。"),))
    library = parts.library
    line = gold.as_line(dialogue)
    rules = MindRules(library.mind_rules, library.taxonomy)
    result = transcripts.grade(line, library, parts.appraiser, rules)
    tp, fp, fn = gold.label_scores(dialogue, result)
    f1 = round(2 * tp / max(1, 2 * tp + fp + fn), 3)
    scenario = library.scenarios.get(dialogue["scenario"], library.scenarios[transcripts.GENERIC])
    turns = transcripts.replay(line.turns, scenario, parts.appraiser, rules)
    outcome = {k: result[k] for k in ("final", "grade", "passed", "fatal", "satisfaction", "dims", "caps")} | {"f1": f1}
    return _empty(faults=tuple(_gold_faults(case, outcome)), turns=tuple(map(Seen.of, turns)), outcome=outcome)


def _gold_faults(case: Case, got: dict[str, object]) -> list[Fault]:
    o = case.expect
    bad: list[tuple[str, str, object]] = []
    for name, condition in (("final", o.final), ("satisfaction", o.satisfaction), ("f1", o.labels_f1)):
        if condition and not within(float(str(got[name])), condition):
            bad.append((name, condition, got[name]))
    for name, wanted in (("passed", o.passed), ("fatal", o.fatal)):
        if wanted is not None and got[name] is not wanted:
            bad.append((name, str(wanted), got[name]))
    if o.grade and got["grade"] not in o.grade:
        bad.append(("grade", "或".join(o.grade), got["grade"]))
    caps, dims = dict(got["caps"]), dict(got["dims"])  # type: ignore[call-overload]
    bad += [(f"caps:{cap}", cap, list(caps)) for cap in o.caps if cap not in caps]
    bad += [(f"dims:{d}", c, dims.get(d)) for d, c in o.dims.items() if dims.get(d) is None or not within(dims[d], c)]
    return [Fault(kind="expectation", check=name, wanted=wanted, found=str(found)) for name, wanted, found in bad]


def _asked(case: Case, finder: Finder) -> CaseResult:
    found = finder.find(case.ask, None, 10)
    docs: list[str] = list(dict.fromkeys(p.doc for p in found))[: case.top]
    ids = {p.id.rsplit("#", 1)[0] for p in found if p.doc in docs}
    faults: tuple[Fault, ...] = ()
    if not set(case.finds) & ({*docs} | ids):
        faults = (Fault(kind="expectation", check="finds", wanted=f"前 {case.top} 名里有 {'或'.join(case.finds)}",
                        found="、".join(docs)),)  # fmt: skip
    return _empty(faults=faults, outcome={"docs": docs})
