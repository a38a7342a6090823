"""The evaluation suite: what a case may say, what a run finds, what has changed since the baseline."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.errors import ContentError, LearnerError, SetupError
from bot.parts import Parts
from bot.scenarios import Library
from bot.settings import load_settings
from evals.simulate import open_parts
from evals.suite import diff, report, simulator
from evals.suite.case import Case, within
from evals.suite.fingerprint import key
from evals.suite.judge import judged
from evals.suite.live import run_live
from evals.suite.load import FOLDER, SCHEMA, check_names, load, read, schema
from evals.suite.mutants import MUTANTS, hunt
from evals.suite.results import CaseResult, RunResult, Seen, dumped, loaded
from evals.suite.run import Place, Worker, run
from tests.conftest import ROOT
from tests.endpoints import stream

GOOD = "一天八个电话追着打，换谁心里都又急又委屈。这口气您先出，我听着。"
BAD = "您先冷静一下，别这么激动，这点小事没必要生这么大气。"


@pytest.fixture(scope="module")
def parts() -> Parts:
    return open_parts(ROOT)


def case(**changes: object) -> Case:
    return Case.model_validate({"id": "one-case", "about": "一个用例", "scenario": "SC01", "say": [GOOD], **changes})


def result(parts: Parts, **changes: object) -> CaseResult:
    return judged(case(**changes), parts, lambda: parts.finder)


# ── what a case may say ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cases: [{id: abc, about: 说明一下, scenario: SC01, say: [您好], colour: red}]", "colour：没有这一项"),
        ("cases: [{id: abc, about: 说明一下, scenario: SC01}]", "要写且只写一种"),
        ("cases: [{id: abc, about: 说明一下, say: [您好]}]", "缺少 scenario"),
        (
            "cases: [{id: abc, about: 说明一下, scenario: SC01, say: [{text: 您好, expect: {state: {生气: '<3'}}}]}]",
            "没有 生气",
        ),
        (
            "cases: [{id: abc, about: 说明一下, scenario: SC01, say: [{text: 您好, expect: {state: {愤怒: 三}}}]}]",
            "写成 <60",
        ),
        ("cases: [{id: A B, about: 说明一下, scenario: SC01, say: [您好]}]", "id：只能用小写字母"),
        ("case: []", "缺少 cases 列表"),
        ("cases: [", "YAML 写法有误"),
    ],
)
def test_a_wrong_file_names_file_key_and_fix(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ContentError, match=r"mine\.yaml") as error:
        read(path)
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"scenario": "SC99"}, "SC99"),
        ({"persona": "nobody"}, "nobody"),
        ({"say": [{"text": GOOD, "expect": {"shows": ["pace_emotoin"]}}]}, "pace_emotoin"),
        ({"say": [{"text": GOOD, "expect": {"keeps": ["age"]}}]}, "age"),
    ],
)
def test_a_name_that_does_not_exist_is_named(changes: dict[str, object], said: str, library: Library) -> None:
    with pytest.raises(ContentError, match="one-case") as error:
        check_names([case(**changes)], library)
    assert said in str(error.value)


def test_the_same_id_twice_names_both_files(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text("cases: [{id: abc, about: 说明一下, scenario: SC01, say: [您好]}]")
    with pytest.raises(ContentError, match=r"b\.yaml.*abc.*a\.yaml"):
        load([tmp_path])


def test_the_schema_file_is_that_of_the_records() -> None:
    assert SCHEMA.read_text(encoding="utf-8") == schema()


def test_numbers_meet_their_conditions() -> None:
    assert within(59.9, "<60") and not within(60, "<60") and within(60, ">=60") and within(30, "30-50")
    assert not within(51, "30-50") and within(-3, ">-5") and within(-3, "<= -1")


def test_the_cases_cover_the_course(library: Library) -> None:
    cases = load()
    check_names(cases, library)
    tax = library.taxonomy
    assert len(cases) >= 300
    shown = {code for c in cases for r in c.say for code in r.expect.shows}
    assert shown >= {*tax.techniques, *tax.antis, *tax.violations}
    played = {(c.scenario, c.id.rsplit("-", 1)[1]) for c in cases}
    whole = [s for s in library.scenarios.values() if not s.drills]
    assert {(s.id, kind) for s in whole for kind in ("good", "bad")} <= played
    assert {c.persona for c in cases} >= set(library.personas)
    assert {c.gold for c in cases if c.gold} == {p.stem for p in (FOLDER / "gold").glob("*.yaml")}
    assert any(c.resume for c in cases) and any(c.rewind for c in cases) and any(c.state for c in cases)
    assert {c.suite for c in cases} == {"customers", "grading", "retrieval", "injection"}
    assert len({c.about for c in cases}) > 0.95 * len(cases)


# ── what a run finds ─────────────────────────────────────────────────────────────────────────────────


def test_what_is_as_expected_passes_and_what_is_not_says_turn_and_cause(parts: Parts) -> None:
    fine = {"text": GOOD, "expect": {"shows": ["pace_emotion"], "moves": {"愤怒": "降"}}}
    assert not result(parts, say=[fine]).faults
    wrong = {"text": BAD, "expect": {"moves": {"愤怒": "降"}, "act": ["accept"], "clean_of": ["anti"]}}
    faults = {f.check: f for f in result(parts, say=[fine, wrong], expect={"passed": True}).faults}
    assert set(faults) == {"moves:愤怒", "act", "clean_of:anti", "passed"}
    assert faults["moves:愤怒"].turn == 2 and "deny_emotion" in faults["moves:愤怒"].why


def test_a_crash_is_a_fault_of_the_case_not_of_the_run(parts: Parts) -> None:
    class Broken:
        def speak(self, cue: object) -> None:
            raise RuntimeError("broke")

    found = judged(case(), replace(parts, voice=Broken()), lambda: parts.finder)  # type: ignore[arg-type]
    assert [f.kind for f in found.faults] == ["error"] and "broke" in found.faults[0].found


def test_a_known_fault_does_not_fail_and_says_when_it_is_mended(parts: Parts) -> None:
    broken = result(parts, known="以后再说", expect={"passed": True})
    assert broken.faults and broken.ok and not broken.mended
    assert result(parts, known="以后再说").mended


def test_better_words_must_not_score_lower_and_the_same_words_the_same(parts: Parts) -> None:
    def kinds(**changes: object) -> set[str]:
        found = judged(
            Case.model_validate({"id": "abc", "about": "说明一下", "scenario": "SC01", **changes}),
            parts,
            lambda: parts.finder,
        )
        return {f.check for f in found.faults}

    assert not kinds(better=[GOOD], worse=[BAD])
    assert kinds(better=[BAD], worse=[GOOD]) == {"monotonicity"}
    assert not kinds(same=[[GOOD], [GOOD + "\n"]], tolerance=0)
    assert kinds(same=[[GOOD], [BAD]], tolerance=3) == {"invariance"}


def test_personas_that_say_the_same_are_told() -> None:
    def talk(persona: str, line: str) -> CaseResult:
        turns = tuple(Seen(n=n, customer="", reply=f"第{n}句", answer=f"{line}{n}") for n in range(1, 13))
        return CaseResult(id=persona, suite="customers", about="-", scenario="SC36", persona=persona, turns=turns)

    one, two = talk("cold", "随你们，没什么可谈的"), talk("merchant", "咱们都是明白人，你让一步")
    assert not simulator.styles([one, two])
    assert simulator.styles([one, two.model_copy(update={"turns": one.turns})])[0].kind == "simulator"


def test_planted_faults_turn_a_case_red(parts: Parts) -> None:
    wanted = ("正负号写反", "谁都通过", "条号指向", "变客气", "断线重来", "恐吓不伤")
    chosen = [m for m in MUTANTS if any(w in m.name for w in wanted)]
    assert len(chosen) == 7 and len(MUTANTS) >= 20
    assert not [v for v in hunt(parts, load(), chosen, most=4) if not v.case]


# ── running ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(ROOT, tmp_path / "evals")


def few(n: int = 3) -> list[Case]:
    return [case(id=f"case-{i}", seed=i) for i in range(n)]


def test_two_runs_are_identical_bytes(place: Place) -> None:
    first, second = (dumped(run(few(), place, jobs=1, fresh=True)) for _ in range(2))
    assert first == second
    path = place.home / "r.json"
    path.write_text(first, encoding="utf-8")
    assert dumped(loaded(path)) == first


def test_a_finished_case_is_not_played_again_and_a_changed_one_is(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    played: list[str] = []
    real = Worker.result

    def noted(self: Worker, one: Case) -> CaseResult:
        played.append(one.id)
        return real(self, one)

    monkeypatch.setattr(Worker, "result", noted)
    run(few(2), place, jobs=1)
    run([*few(3)[:2], few(3)[2].model_copy(update={"seed": 9})], place, jobs=1)
    assert played == ["case-0", "case-1", "case-2"]
    (place.cache / f"{key(few(1)[0])}.json").write_text("{broken")
    run(few(2), place, jobs=1)
    assert played[3:] == ["case-0"]


def test_several_processes_find_the_same_as_one(place: Place) -> None:
    cases = few(7)
    assert dumped(run(cases, place, jobs=2, fresh=True)) == dumped(run(cases, place, jobs=1, fresh=True))


def test_fail_fast_stops(place: Place) -> None:
    bad = case(id="case-bad", expect={"passed": True})
    done: list[str] = []
    run([bad, *few(3)], place, jobs=1, stop_first=True, done=lambda r: done.append(r.id))
    assert done == ["case-bad"]


# ── the baseline ─────────────────────────────────────────────────────────────────────────────────────


def made(*results: CaseResult, suite: str = "all", **versions: str) -> RunResult:
    return RunResult(suite=suite, versions=versions, cases=results)


def test_a_baseline_says_what_changed_at_which_turn_and_why(parts: Parts, tmp_path: Path) -> None:
    first = result(parts, say=[GOOD, GOOD + "您慢慢说。"])
    path = tmp_path / "baseline.json"
    diff.accept(made(first, **{"knowledge/mind.yaml": "a"}), path, "王老师", "第一版", "2026-01-01")
    baseline = diff.read(path)
    assert not diff.differences(made(first, **{"knowledge/mind.yaml": "a"}), baseline)

    second = first.turns[1]
    moved = second.model_copy(update={"state": {**second.state, "A": second.state["A"] + 9}})
    changed = first.model_copy(update={"turns": (first.turns[0], moved)})
    (found,) = diff.differences(made(changed, **{"knowledge/mind.yaml": "b"}), baseline)
    assert (found.case, found.turn, found.what, found.regression) == ("one-case", 2, "状态", False)
    assert "mind.yaml" in found.why and "A=" in found.before

    broken = result(parts, say=[GOOD, GOOD + "您慢慢说。"], expect={"passed": True})
    (found,) = diff.differences(made(broken), baseline)
    assert found.regression and "passed" in found.what
    assert "用例没有了" in [d.what for d in diff.differences(made(), baseline)]


def test_accepting_keeps_who_and_why(parts: Parts, tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    one = result(parts)
    diff.accept(made(one), path, "王老师", "第一版", "2026-01-01")
    diff.accept(made(one), path, "李老师", "识别重训", "2026-02-01")
    assert [(a.who, a.why) for a in diff.read(path).accepted] == [("王老师", "第一版"), ("李老师", "识别重训")]
    with pytest.raises(LearnerError, match="没有基线"):
        diff.read(tmp_path / "none.json")
    path.write_text("{}")
    with pytest.raises(LearnerError, match="读不懂基线"):
        diff.read(path)


# ── reports and the command ──────────────────────────────────────────────────────────────────────────


def test_reports_are_readable_and_escaped(parts: Parts, tmp_path: Path, library: Library) -> None:
    nasty = result(parts, say=["<script>alert(1)</script>您别急\u0007。"], expect={"passed": True})
    report.write(made(result(parts).model_copy(update={"id": "fine"}), nasty), [], tmp_path, library, 1.0)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<script>" not in page and "&lt;script&gt;" in page and 'class="m-good"' in page
    suites = ElementTree.parse(tmp_path / "junit.xml").getroot()
    assert [c.find("failure") is not None for c in suites.iter("testcase")] == [False, True]
    assert "未通过：2 个用例，1 个没过" in (tmp_path / "summary.md").read_text(encoding="utf-8")
    assert json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))["cases"][1]["faults"]


def test_the_command_reports_and_its_last_line_sums_up(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(f"cases: [{{id: mine, about: 我的用例, scenario: SC01, say: ['{GOOD}']}}]", encoding="utf-8")
    runner = CliRunner()
    done = runner.invoke(app, ["eval", "run", str(path), "--report", str(tmp_path / "out"), "--jobs", "1"])
    assert done.exit_code == 0 and done.stdout.splitlines()[-1] == "通过：1 个用例，0 个没过"
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"report.html", "junit.xml", "results.json", "summary.md"}
    noted = runner.invoke(
        app, ["eval", "accept", "--who", "王", "--why", "第一版", "--baseline", str(tmp_path / "b.json")]
    )
    assert noted.exit_code == 0, noted.output
    path.write_text(path.read_text(encoding="utf-8").replace("]}]", "], expect: {passed: true}}]"), encoding="utf-8")
    again = runner.invoke(app, ["eval", "run", str(path), "--baseline", str(tmp_path / "b.json"), "--jobs", "1"])
    assert again.exit_code == 1 and "1 处倒退" in again.stdout.splitlines()[-1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--suite", "nothing"], "没有 nothing 这一组"),
        (["--only", "no-such-case"], "没有编号含"),
        (["nowhere.yaml"], "找不到 nowhere.yaml"),
        (["--only", "sc01-good", "--live"], "没有配置模型"),
    ],
)
def test_the_command_says_what_to_do(words: list[str], said: str) -> None:
    done = CliRunner().invoke(app, ["eval", "run", *words])
    assert done.exit_code == 1 and said in done.output


# ── a real model ─────────────────────────────────────────────────────────────────────────────────────


def test_live_talks_use_the_model_within_a_budget_and_keep_its_answers(serve, place: Place) -> None:  # type: ignore[no-untyped-def]
    endpoint = serve(lambda _body, n: stream(f"你少跟我来这套，第{n}回了，我不听！"))
    settings = load_settings(
        content_dir=ROOT, data_dir=place.home, base_url=endpoint.url, voice_model="m", _env_file=None
    )
    options = {"concurrency": 2, "stop_first": False, "done": lambda _r: None, "suite": "all", "settings": settings}
    two = [case(id=f"case-{i}", say=[f"{GOOD}第{i}句。"]) for i in range(2)]
    first = run_live(two, place, budget=50, **options)
    assert {t.source for c in first.cases for t in c.turns} == {"model"} and first.live["问模型"] == 2
    again = run_live(two, place, budget=50, **options)
    assert again.live["问模型"] == 0 and again.cases == first.cases
    spent = run_live([case(id=f"more-{i}", say=[f"{GOOD}{i}"]) for i in range(9)], place, budget=1, **options)
    assert spent.live["超出预算没跑"] >= 4


def test_a_model_that_breaks_role_is_the_simulators_fault(parts: Parts) -> None:
    class Flips:
        def speak(self, cue: object) -> object:
            from bot.records import Utterance

            return Utterance(text="请问有什么可以帮您？我行会为您登记。", source="model")

    found = judged(case(), replace(parts, voice=Flips()), lambda: parts.finder)  # type: ignore[arg-type]
    assert {f.kind for f in found.faults} == {"simulator"}


def test_without_a_model_live_says_so(place: Place) -> None:
    settings = load_settings(content_dir=ROOT, data_dir=place.home, _env_file=None)
    with pytest.raises(SetupError, match="没有配置模型"):
        run_live(
            few(1),
            place,
            budget=1,
            concurrency=1,
            stop_first=False,
            done=lambda _r: None,
            suite="all",
            settings=settings,
        )
