"""The `huasu` command: names, options and help. What a command does is in `bot.commands`.

Every command exits non-zero on failure with one clear line on stderr, and shows progress when work is long.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bot.errors import HuasuError
from bot.settings import get_settings

if TYPE_CHECKING:
    from types import ModuleType

app = typer.Typer(
    name="huasu", help="化诉：合规柔性催收与信贷投诉处理陪练。", no_args_is_help=True, add_completion=False,
    rich_markup_mode=None, pretty_exceptions_enable=False,
)  # fmt: skip
InFile = Annotated[Path | None, typer.Option("--in", help="JSONL 输入文件；省略则读标准输入。")]
OutFile = Annotated[Path | None, typer.Option("--out", help="JSONL 输出文件；省略则写标准输出。")]


@contextmanager
def _commands() -> Iterator[ModuleType]:
    """The implementations, loaded late; their known errors end as one line and exit code 1."""
    try:
        from bot import commands

        yield commands
    except HuasuError as error:
        typer.echo(f"错误：{error}", err=True)
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
    try:
        settings = get_settings()
    except HuasuError as error:
        typer.echo(f"错误：{error}", err=True)
        raise typer.Exit(1) from None
    threading.Thread(target=_warm, daemon=True).start()
    from bot.screens import server

    quiet = headless or not os.environ.get("DISPLAY")
    server.run(settings.content_dir / "streamlit_app.py", settings.host, port or settings.port, quiet)


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
    """在终端里和客户谈一场。输入 /结束 看报告，/退出 直接离开（可再续）。"""
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
