"""`huasu persona …`: cases and personas checked, compared, exported and imported from the command line."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import app

run = CliRunner()


def called(*words: str, code: int = 0) -> tuple[str, str]:
    result = run.invoke(app, ["persona", *words])
    assert result.exit_code == code, result.output
    return result.stdout, result.stderr


def test_everything_built_in_is_sound() -> None:
    found = json.loads(called("validate", "--json")[0])
    assert len(found) == 51 and all(one["ok"] for one in found)


def test_a_case_goes_out_is_changed_compared_and_comes_back(tmp_path: Path) -> None:
    file = tmp_path / "SC01.yaml"
    called("export", "SC01", "--out", str(file))
    assert called("diff", "SC01", str(file))[0].strip() == "没有不同。"
    file.write_text(file.read_text(encoding="utf-8").replace("difficulty: 2", "difficulty: 4"), encoding="utf-8")
    assert "难度：2 → 4（调高 2）" in called("diff", "SC01", str(file))[0]
    assert "草稿 WS01" in called("import", str(file))[0]
    assert called("diff", "SC01", "WS01@draft", "--json")[0].count('"field"') == 3
    rows = json.loads(called("import", str(file), "--as-version", "--publish", "--reason", "难一点", "--json")[0])
    assert rows[0]["id"] == "SC01" and rows[0]["status"] == "published"
    assert "难度：2 → 4" in called("diff", "SC01@builtin", "SC01@1")[0]


def test_everything_wrong_with_a_file_is_said_at_once(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    text = called("export", "joker")[0]
    file.write_text(text.replace("face: 0.85", "face: 很高") + "hack: 1\n", encoding="utf-8")
    said, error = called("validate", str(file), code=1)
    assert "性格·爱面子：应是数字" in said and "hack：不认识这一项" in said
    assert error.startswith("错误：1 份不可用") and len(error.splitlines()) == 1


def test_a_pack_and_a_card(tmp_path: Path) -> None:
    called("export", "SC01", "merchant", "--format", "zip", "--out", str(tmp_path / "p.zip"))
    assert sorted(zipfile.ZipFile(tmp_path / "p.zip").namelist()) == ["cases/SC01.yaml", "personas/merchant.yaml"]
    assert json.loads(called("export", "merchant", "--format", "card")[0])["spec"] == "chara_card_v3"


@pytest.mark.parametrize(
    "words",
    [("export", "SC99"), ("export", "SC01", "--format", "card"), ("diff", "SC01", "joker"), ("import", "/nowhere.yaml"),
     ("export", "SC01", "--format", "zip"), ("diff", "SC01@7", "SC01")],
)  # fmt: skip
def test_failures_are_one_clear_line(words: tuple[str, ...]) -> None:
    error = called(*words, code=1)[1]
    assert error.startswith("错误：") and len(error.strip().splitlines()) == 1
