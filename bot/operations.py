"""What the commands for whoever runs the service do: backup, restore, retention, one person's data."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress

from bot.errors import LearnerError
from bot.parts import now
from bot.settings import get_settings
from bot.store import Database, People, load, save

out, err = Console(), Console(stderr=True)
STAGES = {
    "sessions": "演练", "turns": "轮次", "calls": "模型调用", "grades": "点评", "reports": "报告", "debriefs": "复盘",
}  # fmt: skip


def backup(path: Path) -> None:
    """Write the whole database to a file."""
    with _database() as database, _bar("备份") as step:
        counts = save(database, path, now(), step)
    out.print(f"已备份 {sum(counts.values())} 行到 {escape(str(path))}（{_listed(counts)}）。")
    out.print("[dim]文件里有学员说过的话，只有当前用户能读；请放在有权限控制的地方。[/dim]")


def restore(path: Path) -> None:
    """Put a backup into an empty database."""
    with _database() as database, _bar("恢复") as step:
        counts = load(database, path, step)
    out.print(f"已恢复 {sum(counts.values())} 行，逐表核对无误（{_listed(counts)}）。")


def retain(days: int, really: bool) -> None:
    """Delete the talks that are older than so many days; without `really`, say how many there are."""
    before = (datetime.now(UTC) - timedelta(days=days)).isoformat(timespec="seconds")
    with _database() as database:
        if not really:
            raise LearnerError(
                f"这会删掉 {days} 天以前（{before[:10]} 之前）开始的全部演练，删了找不回来。确定就加上 --yes。"
            )
        gone = People(database).forget(before)
    out.print(f"已删除 {before[:10]} 之前的演练：{_listed(gone) or '没有这样的演练'}。")


def export_person(owner: str, path: Path) -> None:
    """Write everything about one person to a file, for that person."""
    if path.exists():
        raise LearnerError(f"{path} 已经存在。换个文件名，或先把它移开。")
    with _database() as database:
        found = People(database).taken_out(owner)
    if not found:
        raise LearnerError(f"没有 {owner[:40]} 的任何记录。请检查写法。")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(0o600)
        path.write_text(json.dumps({"owner": owner, "at": now(), **found}, ensure_ascii=False, indent=1), "utf-8")
    except OSError:
        raise LearnerError(f"写不了 {path}。请检查路径和权限。") from None
    out.print(f"已导出到 {escape(str(path))}：{_listed({name: len(rows) for name, rows in found.items()})}。")


def delete_person(owner: str, really: bool) -> None:
    """Delete everything about one person; without `really`, say what there is."""
    with _database() as database:
        people = People(database)
        there = people.count(owner)
        if not there:
            raise LearnerError(f"没有 {owner[:40]} 的任何记录。请检查写法。")
        if not really:
            raise LearnerError(f"会删掉 {owner[:40]} 的 {_listed(there)}，删了找不回来。确定就加上 --yes。")
        gone = people.delete(owner)
    out.print(f"已删除 {escape(owner[:40])} 的 {_listed(gone)}。以前的备份里还有，请按保存期限一并处理。")


def _listed(counts: dict[str, int]) -> str:
    return "，".join(f"{STAGES.get(name, name)} {n}" for name, n in counts.items() if n)


@contextmanager
def _database() -> Iterator[Database]:
    database = Database(get_settings().database)
    try:
        yield database
    finally:
        database.close()


@contextmanager
def _bar(title: str) -> Iterator[Callable[[int, int, str], None]]:
    with Progress(console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task(title)

        def step(done: int, total: int, table: str) -> None:
            bar.update(task, completed=done, total=total, description=f"{title}：{STAGES.get(table, table)}")

        yield step
