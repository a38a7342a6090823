"""The command-line contract, through the installed command as a program would call it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT

HUASU = [sys.executable, "-m", "bot.cli"]
EMPATHY = "一天八个电话，手机一响心就往下沉，换谁都得急、都得委屈。这口气您先出，我听着。"


def run(*args: str, stdin: str = "", **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*HUASU, *args], input=stdin, capture_output=True, text=True, cwd=ROOT, timeout=120, env={**os.environ, **env}
    )


def jsonl(rows: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows)


def test_every_command_has_help() -> None:
    for command in ("serve", "chat", "index", "search", "appraise", "grade", "report", "doctor"):
        found = run(command, "--help")
        assert found.returncode == 0 and command in found.stdout


def test_appraise_keeps_the_contract(tmp_path: Path) -> None:
    rows = [
        {"id": "a", "reply": "再不还就让公安上门抓你", "customer": "我没钱！"},
        {"id": 2, "reply": EMPATHY, "customer": "一天八个电话，逼死人了！", "scenario": "SC01", "history": []},
        {"id": "c", "reply": ""},
    ]
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text(jsonl(rows), encoding="utf-8")
    done = run("appraise", "--in", str(source), "--out", str(target))
    assert done.returncode == 0, done.stderr
    got = [json.loads(x) for x in target.read_text(encoding="utf-8").splitlines()]
    assert [g["id"] for g in got] == ["a", 2, "c"]
    assert all(set(g) == {"id", "techniques", "antis", "violations"} for g in got)
    threat = got[0]["violations"][0]
    assert set(threat) == {"code", "level", "evidence", "redline", "citations"}
    assert threat["level"] == "fatal" and threat["evidence"] in rows[0]["reply"]
    assert threat["citations"] and set(threat["citations"][0]) == {"doc", "article", "conf"}
    assert {"code", "quality", "evidence"} == set(got[1]["techniques"][0])
    for row, g in zip(rows, got, strict=True):
        for kind in ("techniques", "antis", "violations"):
            assert all(m["evidence"] in row["reply"] for m in g[kind])


def test_grade_ranks_every_good_gold_dialogue_above_every_bad_one(tmp_path: Path) -> None:
    rows, kinds, expected = [], {}, {}
    for path in sorted((ROOT / "evals" / "dialogues" / "gold").glob("*.yaml")):
        gold = yaml.safe_load(path.read_text(encoding="utf-8"))
        turns = []
        for t in gold["turns"]:
            turns += [{"role": "customer", "text": t["customer"]}, {"role": "manager", "text": t["learner"]}]
        rows.append({"id": gold["id"], "scenario": gold["scenario"], "turns": turns})
        kinds[gold["id"]], expected[gold["id"]] = gold["kind"], gold["expected"]
    done = run("grade", stdin=jsonl(rows))
    assert done.returncode == 0, done.stderr
    got = {g["id"]: g for g in map(json.loads, done.stdout.splitlines())}
    good = [g["final"] for i, g in got.items() if kinds[i] == "good"]
    bad = [g["final"] for i, g in got.items() if kinds[i] == "bad"]
    assert min(good) > max(bad) + 30
    assert got["BD3"]["fatal"] and got["BD3"]["caps"]["fatal"] == 40 and got["BD3"]["final"] <= 40
    assert got["BD2"]["fatal"] and not got["BD2"]["passed"]
    for one in got.values():
        assert {"id", "final", "grade", "passed", "dims", "caps", "fatal", "turns"} <= set(one)


def test_bad_input_is_one_clear_line_and_a_failure() -> None:
    for args, stdin, says in (
        (["appraise"], "{not json}\n", "第 1 行"),
        (["appraise"], '{"id": 1}\n', "reply"),
        (["grade"], '{"id": 1, "turns": [{"role": "boss", "text": "x"}]}\n', "turns"),
        (["grade"], '{"id": 1, "turns": []}\n', "没有客户经理"),
        (["appraise", "--in", "/nowhere.jsonl"], "", "读不了"),
        (["chat", "SC99"], "", "没有场景"),
        (["report", "nope"], "", "没有找到"),
        (["search"], "", "要找什么"),
        (["index", "/nowhere"], "", "找不到"),
    ):
        found = run(*args, stdin=stdin)
        assert found.returncode == 1, (args, found.stdout, found.stderr)
        assert says in found.stderr and "Traceback" not in found.stderr, (args, found.stderr)


def test_a_talk_in_the_terminal_and_its_report_in_every_format(tmp_path: Path) -> None:
    talk = run("chat", "SC01", "--seed", "3", stdin=f"{EMPATHY}\n\n您不是不还，是想有个喘口气的时间，对吗？\n/结束\n")
    assert talk.returncode == 0, talk.stderr
    assert "你们就是吸血鬼" in talk.stdout and "总分" in talk.stdout
    session = talk.stdout.split("huasu report ")[1].split()[0]
    html = run("report", session, "--format", "html")
    assert html.returncode == 0 and "<!doctype html>" in html.stdout and "逐句回看" in html.stdout
    data = json.loads(run("report", session, "--format", "json").stdout)
    assert data["scenario"] == "SC01" and len(data["turns"]) == 2
    assert "教练" in run("report", session, "--format", "csv").stdout
    pdf = tmp_path / "r.pdf"
    assert run("report", session, "--format", "pdf", "--out", str(pdf)).returncode == 0
    assert pdf.read_bytes().startswith(b"%PDF")


def test_index_and_search_keep_the_contract(tmp_path: Path, with_index: Path) -> None:
    built = run("index", "--json")
    assert built.returncode == 0, built.stderr
    told = json.loads(built.stdout)
    assert (told["added"], told["updated"], told["removed"]) == (0, 0, 0) and told["unchanged"] > 100
    people = run("search", "征信记录能不能改")
    assert people.returncode == 0 and "征信" in people.stdout
    docs = tmp_path / "docs.jsonl"
    docs.write_text(jsonl([
        {"id": "d1", "text": "提前还款要提前十五个工作日预约。"},
        {"id": "d2", "text": "遗失存单应当先办理挂失。"},
    ]), encoding="utf-8")  # fmt: skip
    assert run("index", str(docs), "--collection", "mine").returncode == 0
    queries, ranked = tmp_path / "q.jsonl", tmp_path / "r.jsonl"
    queries.write_text(
        jsonl([{"id": 1, "query": "存单丢了怎么办"}, {"id": 2, "query": "想提前还贷款"}]), encoding="utf-8"
    )
    done = run("search", "--queries", str(queries), "--out", str(ranked), "--collection", "mine", "-k", "2")
    assert done.returncode == 0, done.stderr
    got = [json.loads(x) for x in ranked.read_text(encoding="utf-8").splitlines()]
    assert [g["ranked"][0] for g in got] == ["d2", "d1"]
    assert all(g["scores"] == sorted(g["scores"], reverse=True) and len(g["scores"]) == len(g["ranked"]) for g in got)


def test_doctor_says_how_to_fix_and_never_shows_a_key(with_index: Path) -> None:
    found = run(
        "doctor", OPENAI_API_KEY="sk-very-secret", OPENAI_BASE_URL="http://127.0.0.1:9/v1", HUASU_VOICE_MODEL="m"
    )
    assert found.returncode == 1
    assert "连不上模型服务" in found.stdout and "sk-very-secret" not in found.stdout + found.stderr
    assert run("doctor").returncode == 0
    wrong = run("doctor", HUASU_PORT="abc")
    assert wrong.returncode == 1 and "HUASU_PORT" in wrong.stderr


@pytest.mark.parametrize("command", ["index", "search"])
def test_a_corrupt_index_says_how_to_rebuild_and_a_talk_goes_on(tmp_path: Path, command: str) -> None:
    home = tmp_path / "home"
    (home / "index").mkdir(parents=True)
    (home / "index" / "chroma.sqlite3").write_bytes(b"garbage" * 500)
    args = [command] if command == "index" else [command, "征信"]
    broken = run(*args, HUASU_DATA_DIR=str(home))
    assert broken.returncode == 1 and "huasu index --rebuild" in broken.stderr
    talk = run("chat", "SC01", stdin=f"{EMPATHY}\n/退出\n", HUASU_DATA_DIR=str(home))
    assert talk.returncode == 0 and talk.stdout.count("客户>") == 2
    small = tmp_path / "note.md"
    small.write_text("# 征信\n征信异议二十天内答复。", encoding="utf-8")
    assert run("index", str(small), "--rebuild", HUASU_DATA_DIR=str(home)).returncode == 0
    assert "二十天" in run("search", "征信", HUASU_DATA_DIR=str(home)).stdout
    assert (home / "index.broken-1").exists(), "nothing is deleted behind the user's back"
