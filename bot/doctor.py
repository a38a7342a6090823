"""What is configured, what answers, what is missing and how to fix it. Never shows a key."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from bot import pdf, probe
from bot.errors import HuasuError, ModelError
from bot.model import Model, judge_model, voice_model
from bot.retrieval import Index
from bot.scenarios import load_library
from bot.settings import Settings
from bot.store import Database


@dataclass(frozen=True)
class Finding:
    """One thing looked at."""

    name: str
    state: Literal["ok", "info", "bad"]
    detail: str
    fix: str = ""


def examine(settings: Settings) -> list[Finding]:
    """Look at content, database, index, models, data folder and fonts; each finding stands alone."""
    looks: list[tuple[str, Callable[[Settings], Finding]]] = [
        ("内容", _content),
        ("数据库", _database),
        ("检索索引", _index),
        ("客户模型", lambda s: _model("客户模型", s.voice_ready, s.voice_model, voice_model, s)),
        ("评委模型", lambda s: _model("评委模型", s.judge_ready, s.judge_model, judge_model, s)),
        ("数据文件夹", _folder),
        ("PDF 字体", _font),
    ]
    return [_looked(name, look, settings) for name, look in looks]


def _looked(name: str, look: Callable[[Settings], Finding], settings: Settings) -> Finding:
    try:
        return look(settings)
    except HuasuError as error:
        return Finding(name, "bad", str(error))


def _content(settings: Settings) -> Finding:
    library = load_library(settings.content_dir)
    detail = f"{len(library.scenarios)} 个场景，{len(library.personas)} 个人设，{len(library.redlines)} 条红线。"
    return Finding("内容", "ok", detail)


def _database(settings: Settings) -> Finding:
    Database(settings.database).close()
    kind = settings.database.split(":", 1)[0].split("+")[0]
    return Finding("数据库", "ok", f"{kind} 可读写。")


def _index(settings: Settings) -> Finding:
    counts = Index.open(settings).collections()
    if not counts:
        return Finding("检索索引", "bad", "还没有建立。", "运行 huasu index。")
    return Finding("检索索引", "ok", "，".join(f"{name} {n} 段" for name, n in sorted(counts.items())) + "。")


def _model(name: str, ready: bool, model: str, make: Callable[[Settings], Model], settings: Settings) -> Finding:
    variable = "HUASU_VOICE_MODEL" if name == "客户模型" else "HUASU_JUDGE_MODEL"
    if not ready:
        instead = "客户由内置台词扮演" if name == "客户模型" else "只按规则评分"
        return Finding(
            name,
            "info",
            f"没有配置，{instead}（完全可用）。",
            f"要接模型：设置 OPENAI_BASE_URL / OPENAI_API_KEY 和 {variable}。",
        )
    try:
        proved = probe.examine(make(settings), settings.content_dir / "prompts", persona=name == "客户模型")
    except ModelError as error:
        return Finding(name, "bad", f"{model}：{error}", "改正后再运行 huasu doctor；不改也能用内置台词与规则评分。")
    return Finding(name, "bad" if proved.fix else "ok", f"{model}：{proved.detail}", proved.fix)


def _folder(settings: Settings) -> Finding:
    folder = settings.data_dir
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free / 2**30
    if not os.access(folder, os.W_OK):
        return Finding("数据文件夹", "bad", f"{folder} 不可写。", "改权限，或用 HUASU_DATA_DIR 换一个文件夹。")
    if free < 0.5:
        return Finding("数据文件夹", "bad", f"{folder} 只剩 {free:.1f} GB。", "请腾出空间。")
    return Finding("数据文件夹", "ok", f"{folder} 可写，剩余 {free:.0f} GB。")


def _font(_settings: Settings) -> Finding:
    if not pdf.FONT.is_file():
        return Finding("PDF 字体", "bad", "随产品带的中文字体不见了，导不出 PDF。", "请重新安装化诉。")
    return Finding("PDF 字体", "ok", f"自带 {pdf.FONT.stem}，罕用字再找系统字体。")
