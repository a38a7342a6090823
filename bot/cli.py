"""The `huasu` command: names, options and help. What a command does is in `bot.commands`.

Every command exits non-zero on failure with one clear line on stderr, and shows progress when work is long.
"""

from __future__ import annotations

import importlib
import logging
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bot import telemetry
from bot.errors import HuasuError, SetupError
from bot.settings import check_open, get_settings
from bot.user_cli import app as users

if TYPE_CHECKING:
    from types import ModuleType

app = typer.Typer(
    name="huasu", help="化诉：合规柔性催收与信贷投诉处理陪练。", no_args_is_help=True, add_completion=False,
    rich_markup_mode=None, pretty_exceptions_enable=False,
)  # fmt: skip
evals = typer.Typer(
    help="评测：回归对话、和基线比较、评分可信度。", no_args_is_help=True, add_completion=False, rich_markup_mode=None,
)  # fmt: skip
app.add_typer(evals, name="eval")
app.add_typer(users, name="user")
person = typer.Typer(help="一个人的数据：导出、删除。", no_args_is_help=True)
app.add_typer(person, name="person")
OPERATIONS = "bot.operations"
InFile = Annotated[Path | None, typer.Option("--in", help="JSONL 输入文件；省略则读标准输入。")]
OutFile = Annotated[Path | None, typer.Option("--out", help="JSONL 输出文件；省略则写标准输出。")]


@contextmanager
def _commands(module: str = "bot.commands") -> Iterator[ModuleType]:
    """The implementations, loaded late; their known errors end as one line and exit code 1."""
    try:
        yield importlib.import_module(module)
    except HuasuError as error:
        typer.echo(f"错误：{error}", err=True)
        raise typer.Exit(1) from None
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader left: nothing more to say
        raise typer.Exit(1) from None


@contextmanager
def _evals(module: str) -> Iterator[ModuleType]:
    """The evaluations, which an installation may leave out; their known errors end as one line and exit code 1."""
    try:
        try:
            yield importlib.import_module(f"evals.suite.{module}")
        except ModuleNotFoundError as error:
            raise SetupError(
                f"缺少 {error.name}，评测没有装全。请在源码目录里 pip install -e '.[dev]'，或重新安装完整的化诉。"
            ) from None
    except HuasuError as error:
        typer.echo(f"错误：{error}", err=True)
        raise typer.Exit(1) from None


@app.command()
def serve(
    port: Annotated[int | None, typer.Option(help="端口，默认 8501。")] = None,
    headless: Annotated[bool, typer.Option(help="不自动打开浏览器。")] = False,
) -> None:
    """打开网页版（只在本机监听，除非设置 HUASU_HOST）。"""
    try:
        settings = get_settings()
        check_open(settings)
    except HuasuError as error:
        typer.echo(f"错误：{error}", err=True)
        raise typer.Exit(1) from None
    telemetry.configure(settings.log_level, settings.log_json)
    if settings.metrics_port:
        telemetry.figures.serve(settings.metrics_port)
    threading.Thread(target=_warm, daemon=True).start()
    from bot.screens import server

    typer.echo(f"化诉正在打开：http://{settings.host}:{port or settings.port}（按 Ctrl+C 停下）")
    server.run(settings.content_dir / "streamlit_app.py", settings.host, port or settings.port, headless)


def _warm() -> None:
    """Open the parts and prepare the index while the browser is still loading the page."""
    from bot.parts import prepared

    try:
        prepared()
    except HuasuError as error:  # the page will say it too, with a way out
        typer.echo(f"提示：{error}", err=True)


@app.command()
def chat(
    scenario: Annotated[str, typer.Argument(help="场景编号，如 SC01。")],
    persona: Annotated[str, typer.Option(help="人设编号，如 hot-tempered。")] = "",
    mode: Annotated[Literal["practice", "exam", "gate"], typer.Option(help="练习 / 考核 / 闯关。")] = "practice",
    seed: Annotated[int | None, typer.Option(help="措辞的随机种子；同一种子，同样的话得到同样的回答。")] = None,
) -> None:
    """在终端里和客户谈一场。输入 /结束 看报告，/提示 要一步提示（会标注），/退出 直接离开（可再续）。"""
    with _commands() as run:
        run.chat(scenario, persona, mode, seed)


@app.command()
def index(
    paths: Annotated[list[Path] | None, typer.Argument(help="要加入的文件或文件夹；省略则更新内置知识库。")] = None,
    collection: Annotated[str, typer.Option(help="放进哪个集合。")] = "library",
    rebuild: Annotated[bool, typer.Option("--rebuild", help="索引损坏时用：挪开旧索引，从头建。")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="以 JSON 输出结果。")] = False,
) -> None:
    """建立或更新检索索引（md、txt、pdf、docx、jsonl），只处理变化的部分。"""
    with _commands() as run:
        run.index(paths or [], collection, rebuild, as_json)


@app.command()
def search(
    query: Annotated[str, typer.Argument(help="要找的内容。")] = "",
    queries: Annotated[Path | None, typer.Option(help="批量查询：JSONL，每行 {id, query}。")] = None,
    out_file: OutFile = None,
    collection: Annotated[str | None, typer.Option(help="只在这个集合里找。")] = None,
    k: Annotated[int, typer.Option("-k", min=1, max=200, help="返回几条。")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="以 JSON 输出。")] = False,
) -> None:
    """检索知识库：给人看一条，或批量跑一个文件（输出 {id, ranked, scores}）。"""
    with _commands() as run:
        if queries is not None:
            run.search_many(queries, out_file, collection, k)
        else:
            run.search(query, collection, k, as_json)


@app.command()
def appraise(in_file: InFile = None, out_file: OutFile = None) -> None:
    """批量识别：每行 {id, customer?, history?, reply, scenario?}，输出技巧、反模式、违规及原文证据。"""
    with _commands() as run:
        run.appraise(in_file, out_file)


@app.command()
def grade(in_file: InFile = None, out_file: OutFile = None) -> None:
    """批量评分：每行 {id, scenario?, turns:[{role: customer|manager, text}]}，输出总分、维度、封顶和逐轮反馈。"""
    with _commands() as run:
        run.grade(in_file, out_file)


@app.command()
def report(
    session: Annotated[str, typer.Argument(help="演练编号（聊天结束时显示，或在网页地址里）。")],
    kind: Annotated[Literal["html", "pdf", "csv", "json"], typer.Option("--format", help="报告格式。")] = "html",
    out_file: Annotated[
        Path | None, typer.Option("--out", help="写到哪个文件；省略则 html/csv/json 写标准输出。")
    ] = None,
) -> None:
    """导出一场演练的报告。"""
    with _commands() as run:
        run.report(session, kind, out_file)


@app.command()
def calls(
    session: Annotated[str, typer.Argument(help="演练编号。")],
    as_json: Annotated[bool, typer.Option("--json", help="以 JSON 输出，含模型读到的全文。")] = False,
) -> None:
    """给培训师：一场演练里模型读到了什么、答了什么、花了多少，检查拦下了什么，评委和规则哪里不一致。"""
    with _commands() as run:
        run.calls(session, as_json)


@app.command()
def doctor(as_json: Annotated[bool, typer.Option("--json", help="以 JSON 输出。")] = False) -> None:
    """体检：配置了什么、什么能用、缺什么、怎么补（不显示密钥）。"""
    with _commands() as run:
        if not run.doctor(as_json):
            raise typer.Exit(1)


@evals.command("run")
def eval_run(
    paths: Annotated[list[Path] | None, typer.Argument(help="用例文件或文件夹；省略则跑自带的全部用例。")] = None,
    suite: Annotated[str, typer.Option(help="all、customers、grading、retrieval、injection。")] = "all",
    only: Annotated[str, typer.Option(help="只跑编号里含这几个字的用例。")] = "",
    live: Annotated[bool, typer.Option("--live", help="用设置里的真实模型来演客户。")] = False,
    budget: Annotated[int, typer.Option(min=1, help="--live 时最多问模型几次。")] = 2000,
    concurrency: Annotated[int, typer.Option(min=1, max=64, help="--live 时同时谈几场。")] = 8,
    fleet: Annotated[str, typer.Option(help="分给多台机器跑：Dask 调度器的地址，如 tcp://10.0.0.1:8786。")] = "",
    jobs: Annotated[int, typer.Option(min=0, help="几个进程；0 = 有几个核用几个。")] = 0,
    baseline: Annotated[Path | None, typer.Option(help="和这份基线比，说出什么变了、哪一轮、为什么。")] = None,
    report: Annotated[Path | None, typer.Option(help="把 HTML、JUnit、JSON、Markdown 写进这个文件夹。")] = None,
    stop_first: Annotated[bool, typer.Option("--fail-fast", help="遇到第一个没过的就停。")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="不用缓存，全部重跑。")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="和基线有任何不同都算没过。")] = False,
) -> None:
    """跑回归用例；有倒退时退出码为 1，最后一行是一句话结论。"""
    with _evals("commands") as run:
        held = run.run_suite(
            suite, paths or [], jobs=jobs, baseline=baseline, folder=report, fresh=fresh, stop_first=stop_first,
            strict=strict, only=only, live=live, budget=budget, concurrency=concurrency, fleet=fleet,
        )  # fmt: skip
        if not held:
            raise typer.Exit(1)


@evals.command("accept")
def eval_accept(
    who: Annotated[str, typer.Option(help="谁认可的。")],
    why: Annotated[str, typer.Option(help="为什么认可这些变化。")],
    source: Annotated[Path | None, typer.Option("--from", help="哪一次的 results.json；省略则是上一次。")] = None,
    baseline: Annotated[Path | None, typer.Option(help="写到哪个文件；省略则是自带用例的基线。")] = None,
) -> None:
    """把上一次的结果记为基线，留下谁、为什么。"""
    with _evals("commands") as run:
        run.accept(who, why, source, baseline)


@evals.command("agree")
def eval_agree(
    marks: Annotated[Path | None, typer.Argument(help="培训师打的分（JSONL）；省略则用金标准对话。")] = None,
    other: Annotated[Path | None, typer.Option(help="另一套评分的结果（JSONL，{id, final}），配对比较。")] = None,
) -> None:
    """评分可信吗：和培训师的一致程度（带区间）、重评是否一样、两套评分谁更近。"""
    with _evals("study") as run:
        run.agree(marks, other)


@evals.command("regrade")
def eval_regrade(
    owner: Annotated[str, typer.Option(help="谁的演练；省略则是本机的。")] = "",
    limit: Annotated[int, typer.Option(min=1, help="最近多少场。")] = 200,
    as_json: Annotated[bool, typer.Option("--json", help="每场一行 JSON。")] = False,
) -> None:
    """用现在的量规重评存下来的演练，列出和当时不同的；不改动当时的报告。"""
    with _evals("study") as run:
        run.regrade(owner, limit, as_json)


@app.command()
def backup(
    path: Annotated[Path, typer.Argument(help="写到哪个文件，如 huasu-20260101.gz；不会覆盖已有文件。")],
) -> None:
    """备份整个数据库到一个文件（SQLite、PostgreSQL 通用；服务不用停）。"""
    with _commands(OPERATIONS) as run:
        run.backup(path)


@app.command()
def restore(path: Annotated[Path, typer.Argument(help="备份文件。")]) -> None:
    """把备份恢复到一个空库（HUASU_DATABASE_URL 指向哪里就恢复到哪里，可由 SQLite 搬到 PostgreSQL），逐表核对行数。"""
    with _commands(OPERATIONS) as run:
        run.restore(path)


@app.command()
def retain(
    days: Annotated[int, typer.Option(min=1, help="保留最近多少天的演练。")],
    yes: Annotated[bool, typer.Option("--yes", help="确定删除。")] = False,
) -> None:
    """按保存期限清理：删掉更早的演练和它们的轮次、点评、报告、模型记录。"""
    with _commands(OPERATIONS) as run:
        run.retain(days, yes)


@person.command("export")
def export_person(
    owner: Annotated[str, typer.Argument(help="谁（本机单人使用时是 local）。")],
    path: Annotated[Path, typer.Option("--out", help="写到哪个 JSON 文件。")],
) -> None:
    """导出一个人的全部记录。"""
    with _commands(OPERATIONS) as run:
        run.export_person(owner, path)


@person.command("delete")
def delete_person(
    owner: Annotated[str, typer.Argument(help="谁（本机单人使用时是 local）。")],
    yes: Annotated[bool, typer.Option("--yes", help="确定删除。")] = False,
) -> None:
    """删除一个人的全部记录。"""
    with _commands(OPERATIONS) as run:
        run.delete_person(owner, yes)


contents = typer.Typer(
    help="人设与场景：检查、比较、导出、导入（文件或工坊里的版本）。", no_args_is_help=True, rich_markup_mode=None
)
app.add_typer(contents, name="persona")
Targets = Annotated[
    list[str] | None, typer.Argument(help="文件、文件夹，或编号（SC01、SC01@2、SC01@draft、SC01@builtin、merchant）。")
]
AsJson = Annotated[bool, typer.Option("--json", help="以 JSON 输出。")]


@contextmanager
def _content_commands() -> Iterator[ModuleType]:
    """As `_commands`, for cases and personas."""
    with _commands():
        from bot import content_commands

        yield content_commands


@contents.command("validate")
def validate_content(targets: Targets = None, as_json: AsJson = False) -> None:
    """检查场景与人设能不能用，逐条说哪一项不对、怎么改；不写目标就检查全部。"""
    with _content_commands() as run:
        run.validate(targets or [], as_json)


@contents.command("diff")
def diff_content(
    old: Annotated[str, typer.Argument(help="旧的：文件或编号。")],
    new: Annotated[str, typer.Argument(help="新的：文件或编号。")],
    as_json: AsJson = False,
) -> None:
    """两份场景或人设有什么不同，逐项用文字说。"""
    with _content_commands() as run:
        run.diff(old, new, as_json)


@contents.command("export")
def export_content(
    targets: Targets = None,
    form: Annotated[
        Literal["yaml", "zip", "card"], typer.Option("--format", help="YAML、课程包或角色卡 V3。")
    ] = "yaml",
    out_file: Annotated[Path | None, typer.Option("--out", help="写到哪个文件；省略则 yaml、card 写标准输出。")] = None,
) -> None:
    """导出场景与人设；不写目标就导出全部。"""
    with _content_commands() as run:
        run.export(targets or [], form, out_file)


@contents.command("import")
def import_content(
    paths: Annotated[list[Path], typer.Argument(help="YAML、课程包 zip、角色卡 JSON。")],
    as_new_version: Annotated[
        bool, typer.Option("--as-version", help="编号已有时存为它的新一版，而不是换编号。")
    ] = False,
    publish: Annotated[bool, typer.Option("--publish", help="通过检查就发布；不写则只存草稿。")] = False,
    reason: Annotated[str, typer.Option(help="为什么发布。")] = "",
    as_json: AsJson = False,
) -> None:
    """导入场景与人设为草稿；可疑的文件不收，并说明原因。"""
    with _content_commands() as run:
        run.bring_in(paths, as_new_version, publish, reason, as_json)


def main() -> None:
    """Entry point of the console script."""
    logging.basicConfig(level="WARNING", format="%(levelname)s %(name)s %(message)s")
    app()


if __name__ == "__main__":
    main()
