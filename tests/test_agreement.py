"""How far a grader agrees with trainers: the figures, their intervals, and the commands."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.parts import Parts
from bot.session import Session
from evals.suite.agreement import compared, estimated, kappa, quadratic, spearman
from evals.suite.study import again, difference
from tests.conftest import ROOT


def test_kappa_is_that_of_the_textbook() -> None:
    mine = [1.0] * 45 + [0.0] * 55
    theirs = [1.0] * 20 + [0.0] * 25 + [1.0] * 15 + [0.0] * 40
    assert kappa(mine, theirs) == pytest.approx((0.60 - 0.54) / (1 - 0.54) * 1.0, abs=0.06)
    assert kappa([1, 2, 3], [1, 2, 3]) == 1 and kappa([1, 1], [1, 1]) == 1
    assert kappa([0, 1, 0, 1], [1, 0, 1, 0]) == -1


def test_a_near_miss_costs_less_than_a_far_one() -> None:
    assert quadratic([1, 2, 3, 4, 5], [1, 2, 3, 4, 4]) > quadratic([1, 2, 3, 4, 5], [1, 2, 3, 4, 1])


def test_ranks_share_their_mean_when_tied() -> None:
    assert spearman([10, 20, 30], [1, 5, 9]) == pytest.approx(1)
    assert spearman([1, 2, 3], [3, 2, 1]) == pytest.approx(-1)
    assert spearman([1, 2, 2, 3], [1, 2, 3, 4]) == pytest.approx(0.9487, abs=1e-3)
    assert spearman([1, 1, 1], [1, 2, 3]) == 0


def test_intervals_hold_the_figure_and_are_the_same_twice() -> None:
    mine, theirs = [float(i % 5) for i in range(60)], [float((i + (i % 7 == 0)) % 5) for i in range(60)]
    one = estimated(kappa, mine, theirs)
    assert one.low <= one.value <= one.high and one == estimated(kappa, mine, theirs)


def test_a_better_grader_is_told_from_a_lucky_one() -> None:
    trainer = [float(50 + i) for i in range(30)]
    far, near = [t + 12 for t in trainer], [t + 2 + (i % 2) for i, t in enumerate(trainer)]
    found = compared(trainer, far, near)
    assert found.significant and found.low > 0 and found.better == pytest.approx(9.5)
    noise = [t + (12 if i % 2 else -12) for i, t in enumerate(trainer)]
    assert not compared(trainer, far, noise).significant


def test_the_command_compares_with_trainers_and_with_another_grader(tmp_path: Path) -> None:
    other = tmp_path / "other.jsonl"
    other.write_text("\n".join(json.dumps({"id": i, "final": 50}) for i in ("GD1", "GD2", "GD3", "BD1", "BD2", "BD3")))
    done = CliRunner().invoke(app, ["eval", "agree", "--other", str(other)])
    assert done.exit_code == 0, done.output
    assert (
        "再评一次完全相同：100%" in done.stdout and "总分 Spearman" in done.stdout and "离培训师的平均差" in done.stdout
    )
    other.write_text("{}\n")
    failed = CliRunner().invoke(app, ["eval", "agree", "--other", str(other)])
    assert failed.exit_code == 1 and "第 1 行读不懂" in failed.output


def test_a_stored_talk_is_graded_again_without_being_changed(parts: Parts) -> None:
    talk = Session.start(parts, "SC01", seed=1)
    talk.say("一天八个电话追着打，换谁心里都又急又委屈。")
    stored = talk.finish()
    assert again(talk) == stored and not difference(stored, again(talk))
    assert difference(stored, stored.model_copy(update={"final": 1.0, "grade": "D"}))[0].startswith("总分")


def test_a_banks_own_cases_run_with_pytest(tmp_path: Path) -> None:
    (tmp_path / "branch.cases.yaml").write_text(
        """
defaults: {scenario: SC01}
cases:
  - {id: mine-good, about: 接住情绪, say: [{text: 一天八个电话追着打，换谁心里都又急又委屈。, expect: {moves: {愤怒: 降}}}]}
  - {id: mine-bad, about: 写错的预期, say: [{text: 您先冷静一下，别这么激动。, expect: {moves: {愤怒: 降}}}]}
  - {id: mine-known, about: 已知做不到, known: 以后再说, say: [您好。], expect: {passed: true}}
""",
        encoding="utf-8",
    )
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        str(tmp_path),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert "1 failed, 1 passed, 1 xfailed" in done.stdout, done.stdout
    assert "愤怒降" in done.stdout and "Traceback" not in done.stdout
