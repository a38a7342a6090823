"""The `huasu` command: thin callers of the same core the web app uses.

Every command exits non-zero on failure with one clear line on stderr, and shows progress when work is long.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import track

from bot import doctor as checks
from bot import export, transcripts
from bot.appraisal import Appraiser
from bot.errors import HuasuError, LearnerError, SetupError
from bot.mind import MindRules
from bot.parts import Parts
from bot.records import Mode, Turn
from bot.retrieval import Index
from bot.scenarios import load_library
from bot.session import Session
from bot.settings import get_settings
from bot.store import Store

app = typer.Typer(
    name="huasu", help="化诉：合规柔性催收与信贷投诉处理陪练。", no_args_is_help=True, add_completion=False,
    rich_markup_mode=None, pretty_exceptions_enable=False,
)  # fmt: skip
out, err = Console(), Console(stderr=True)
ENDINGS = {
    "closed": "客户道别，谈话结束。",
    "hung_up": "客户不谈了，谈话中断。",
    "complained": "客户去投诉了，谈话结束。",
    "finished": "谈话结束。",
}
InFile = Annotated[Path | None, typer.Option("--in", help="JSONL 输入文件；省略则读标准输入。")]
OutFile = Annotated[Path | None, typer.Option("--out", help="JSONL 输出文件；省略则写标准输出。")]


@contextmanager
def _one_line_errors() -> Iterator[None]:
    try:
        yield
    except HuasuError as error:
        err.print(f"错误：{escape(str(error))}", soft_wrap=True)
        raise typer.Exit(1) from None
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader left: nothing more to say
        raise typer.Exit(1) from None


@app.command()
def serve(
    port: Annotated[int | None, typer.Option(help="端口，默认 8501。")] = None,
    headless: Annotated[bool, typer.Option(help="不自动打开浏览器。")] = False,
) -> None:
    """打开网页版（只在本机监听，除非设置 HUASU_HOST）。"""
    with _one_line_errors():
        settings = get_settings()
        script = settings.content_dir / "streamlit_app.py"
        command = [
            sys.executable, "-m", "streamlit", "run", str(script),
            "--server.port", str(port or settings.port), "--server.address", settings.host,
            "--server.headless", str(headless or not os.environ.get("DISPLAY")).lower(),
            "--browser.gatherUsageStats", "false",
        ]  # fmt: skip
        _ensure_index(settings_quiet=True)
        raise typer.Exit(subprocess.call(command, cwd=settings.content_dir))


@app.command()
def chat(
    scenario: Annotated[str, typer.Argument(help="场景编号，如 SC01。")],
    persona: Annotated[str, typer.Option(help="人设编号，如 hot-tempered。")] = "",
    mode: Annotated[Literal["practice", "exam", "gate"], typer.Option(help="练习 / 考核 / 闯关。")] = "practice",
    seed: Annotated[int | None, typer.Option(help="措辞的随机种子；同一种子，同样的话得到同样的回答。")] = None,
) -> None:
    """在终端里和客户谈一场。输入 /结束 看报告，/退出 直接离开（可再续）。"""
    with _one_line_errors():
        session = Session.start(Parts.open(get_settings()), scenario, persona_id=persona, mode=mode, seed=seed)
        _introduce(session)
        while not session.ended:
            typed = _typed()
            if typed is None or typed in ("/退出", "/quit"):
                out.print(f"已离开。这场对话存为 {session.id}。")
                return
            if typed in ("/结束", "/end"):
                break
            try:
                _show(session.say(typed), session, mode)
            except LearnerError as error:
                err.print(escape(str(error)))
        if session.turns:
            out.print(escape(export.as_text(session.finish(), session.snapshot, session.parts.library)))
            out.print(f"完整报告：huasu report {session.id} --format html")


def _typed() -> str | None:
    try:
        return input("你> ").strip()
    except (EOFError, KeyboardInterrupt):
        return None


def _introduce(session: Session) -> None:
    s = session.snapshot.scenario
    p = s.profile
    out.print(f"[bold]{escape(s.id)} {escape(s.title)}[/bold]（{escape(s.channel)}，难度 {s.difficulty}）")
    out.print(
        escape(f"客户档案：{p.name}，{p.gender}，{p.age} 岁，{p.job}；{p.product}，"
               f"余额 {p.balance} 元，逾期 {p.overdue_days} 天")
    )  # fmt: skip
    out.print(f"\n客户> {escape(s.opening)}")


def _show(turn: Turn, session: Session, mode: Mode) -> None:
    for notice in turn.answer.notices:
        out.print(f"[dim]{escape(notice)}[/dim]")
    out.print(f"客户> {escape(turn.answer.text)}")
    if mode == "practice":
        point = session.feedback(turn.n).coaching
        anger = turn.mind.values["A"]
        out.print(f"[dim]愤怒 {anger:.0f}，第 {turn.mind.stage} 阶段。教练：{escape(point.point)}[/dim]")
    if turn.mind.ended:
        out.print(f"[dim]{ENDINGS.get(turn.mind.ended, '')}[/dim]")


@app.command()
def index(
    paths: Annotated[list[Path] | None, typer.Argument(help="要加入的文件或文件夹；省略则重建内置知识库。")] = None,
    collection: Annotated[str, typer.Option(help="放进哪个集合。")] = "library",
    rebuild: Annotated[bool, typer.Option("--rebuild", help="索引损坏时用：挪开旧索引，从头建。")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="以 JSON 输出结果。")] = False,
) -> None:
    """建立或更新检索索引（md、txt、pdf、docx、jsonl），只处理变化的部分。"""
    with _one_line_errors():
        settings = get_settings()
        found = Index.rebuild(settings) if rebuild else Index.open(settings)
        with _bar("建立索引") as step:
            if paths:
                missing = [str(p) for p in paths if not p.exists()]
                if missing:
                    raise LearnerError(f"找不到 {'、'.join(missing)}。请检查路径。")
                report = found.add_files(paths, collection, progress=step)
            else:
                report = found.sync_knowledge(load_library(settings.content_dir), progress=step)
        if as_json:
            print(json.dumps({**vars(report), "collections": found.collections()}, ensure_ascii=False, default=list))
        else:
            out.print(f"新增 {report.added}，更新 {report.updated}，未变 {report.unchanged}，删除 {report.removed}。")
        for name, reason in report.skipped:
            err.print(escape(f"跳过 {name}：{reason}"), soft_wrap=True)
        if paths and report.skipped and not (report.added or report.updated or report.unchanged):
            raise LearnerError("没有一个文件能加入索引，原因见上。")


@contextmanager
def _bar(title: str) -> Iterator[Callable[[int, int, str], None]]:
    from rich.progress import Progress

    with Progress(console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task(title)

        def step(done: int, total: int, _what: str) -> None:
            bar.update(task, completed=done, total=total)

        yield step


@app.command()
def search(
    query: Annotated[str, typer.Argument(help="要找的内容。")] = "",
    queries: Annotated[Path | None, typer.Option(help="批量查询：JSONL，每行 {id, query}。")] = None,
    out_file: OutFile = None,
    collection: Annotated[str | None, typer.Option(help="只在这个集合里找。")] = None,
    k: Annotated[int, typer.Option("-k", min=1, max=200, help="返回几条。")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="以 JSON 输出。")] = False,
) -> None:
    """检索知识库：给人看一条，或批量跑一个文件。"""
    with _one_line_errors():
        found = _ensure_index()
        if queries is not None:
            _batch(queries, out_file, lambda row, n: _ranked(found, row, n, collection, k))
            return
        if not query.strip():
            raise LearnerError("要找什么？例：huasu search 征信记录能不能改。")
        passages = found.find(query, collection, k)
        if as_json:
            print(json.dumps([p.model_dump() for p in passages], ensure_ascii=False))
            return
        for i, p in enumerate(passages, 1):
            marks = "，".join(m for m in (p.status, f"确信度 {p.conf}" if p.conf else "") if m)
            out.print(f"[bold]{i}. {escape(p.title)}[/bold] [dim]{escape(p.doc)} {escape(marks)}[/dim]")
            out.print(escape(p.text[:160]), soft_wrap=True)


def _ranked(found: Index, row: str, number: int, collection: str | None, k: int) -> dict[str, Any]:
    try:
        asked = json.loads(row)
        query_id, text = asked["id"], str(asked["query"])
    except (ValueError, KeyError, TypeError):
        raise LearnerError(f"第 {number} 行读不懂：每行应是 {{id, query}}。") from None
    ranked = found.rank(text, collection, k) if text.strip() else []
    return {"id": query_id, "ranked": [doc for doc, _ in ranked], "scores": [round(s, 6) for _, s in ranked]}


@app.command()
def appraise(in_file: InFile = None, out_file: OutFile = None) -> None:
    """批量识别：每行 {id, customer?, history?, reply, scenario?}，输出技巧、反模式、违规及原文证据。"""
    with _one_line_errors():
        library = load_library(get_settings().content_dir)
        reader = Appraiser(library)
        _batch(
            in_file, out_file,
            lambda row, n: transcripts.appraise(transcripts.parsed(transcripts.AppraiseLine, row, n), library, reader),
        )  # fmt: skip


@app.command()
def grade(in_file: InFile = None, out_file: OutFile = None) -> None:
    """批量评分：每行 {id, scenario?, turns:[{role: customer|manager, text}]}，输出总分、维度、封顶和逐轮反馈。"""
    with _one_line_errors():
        library = load_library(get_settings().content_dir)
        reader, rules = Appraiser(library), MindRules(library.mind_rules, library.taxonomy)
        _batch(
            in_file, out_file,
            lambda row, n: transcripts.grade(transcripts.parsed(transcripts.GradeLine, row, n), library, reader, rules),
        )  # fmt: skip


@app.command()
def report(
    session: Annotated[str, typer.Argument(help="演练编号（聊天结束时显示，或在网页地址里）。")],
    format: Annotated[Literal["html", "pdf", "csv", "json"], typer.Option(help="报告格式。")] = "html",
    out_file: Annotated[Path | None, typer.Option("--out", help="写到哪个文件；省略则 html/csv/json 写标准输出。")] = None,
) -> None:
    """导出一场演练的报告。"""
    with _one_line_errors():
        talk = Session.resume(Parts.open(get_settings()), session)
        finished = talk.finish()
        content = export.render(format, finished, talk.snapshot, talk.turns, talk.parts.library)
        if out_file is None and format == "pdf":
            out_file = Path(f"huasu-{session[:8]}.pdf")
        if out_file is None:
            sys.stdout.buffer.write(content)
            return
        _write(out_file, content)
        err.print(f"已写入 {escape(str(out_file))}")


@app.command()
def doctor(as_json: Annotated[bool, typer.Option("--json", help="以 JSON 输出。")] = False) -> None:
    """体检：配置了什么、什么能用、缺什么、怎么补（不显示密钥）。"""
    with _one_line_errors():
        found = checks.examine(get_settings())
        if as_json:
            print(json.dumps([vars(f) for f in found], ensure_ascii=False))
        else:
            for f in found:
                mark = {"ok": "[green]正常[/green]", "info": "[dim]提示[/dim]", "bad": "[red]有问题[/red]"}[f.state]
                out.print(f"{mark} {f.name}：{escape(f.detail)}", soft_wrap=True)
                if f.fix:
                    out.print(f"     [dim]→ {escape(f.fix)}[/dim]", soft_wrap=True)
        if any(f.state == "bad" for f in found):
            raise typer.Exit(1)


def _ensure_index(settings_quiet: bool = False) -> Index:
    settings = get_settings()
    try:
        found = Index.open(settings)
        if not found.collections():
            if not settings_quiet:
                err.print("第一次使用，正在建立内置知识库的索引……")
            with _bar("建立索引") as step:
                found.sync_knowledge(load_library(settings.content_dir), progress=step)
        return found
    except SetupError:
        if settings_quiet:  # a talk needs no index; `huasu doctor` and the knowledge search say what is wrong
            return None  # type: ignore[return-value]
        raise


def _batch(source: Path | None, target: Path | None, handle: Callable[[str, int], dict[str, Any]]) -> None:
    rows = [(n, row) for n, row in enumerate(_lines(source), 1) if row.strip()]
    results: Iterable[tuple[int, str]] = rows
    if target is not None:
        results = track(rows, description="处理中", console=err, disable=not err.is_terminal)
    done: list[str] = []
    for n, row in results:
        line = json.dumps(handle(row, n), ensure_ascii=False)
        if target is None:
            print(line, flush=True)
        done.append(line)
    if target is not None:
        _write(target, ("\n".join(done) + "\n" if done else "").encode())


def _lines(source: Path | None) -> list[str]:
    try:
        text = sys.stdin.buffer.read().decode("utf-8") if source is None else source.read_text(encoding="utf-8")
    except OSError:
        raise LearnerError(f"读不了 {source}。请检查路径和权限。") from None
    except UnicodeDecodeError:
        raise LearnerError("输入不是 UTF-8 编码。请另存为 UTF-8 的 JSONL。") from None
    return text.lstrip("\ufeff").split("\n")


def _write(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError:
        raise LearnerError(f"写不了 {path}。请检查路径和权限。") from None


def main() -> None:
    """Entry point of the console script."""
    logging.basicConfig(level="WARNING", format="%(levelname)s %(name)s %(message)s")
    app()


if __name__ == "__main__":
    main()

__all__ = ["Store", "app", "main"]
