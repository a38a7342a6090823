"""A list of learners as a file: read in whatever encoding a spreadsheet wrote it, and looked at before it is used."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection
from typing import Literal

from bot import login
from bot.errors import LearnerError
from bot.records import Record

State = Literal["new", "known", "twice", "wrong"]
MOST = 2000
HEADS = {
    "login": ("登录名", "工号", "账号", "员工号", "login", "id"),
    "name": ("姓名", "名字", "name"),
    "group": ("班级", "组", "支行", "group"),
}
EXAMPLE = "工号,姓名,班级\r\n10001,张敏,一班\r\n10002,李强,一班\r\n"


class Row(Record):
    """One line: somebody new, somebody known, the second line of the same login, or wrong (`why`)."""

    line: int
    login: str
    name: str
    group: str = ""
    state: State
    why: str = ""

    @property
    def ok(self) -> bool:
        """Whether it will be used."""
        return self.state in ("new", "known")


def read(data: bytes, known: Collection[str], group: str = "") -> tuple[Row, ...]:
    """The lines of a file. `known` are the logins that exist; `group` is the class of lines that name none.

    Raises `LearnerError` when the file is no table with 工号 and 姓名.
    """
    table = [r for r in _table(_decoded(data)) if any(c.strip() for c in r)]
    if not table:
        raise LearnerError("文件是空的。第一行写“工号,姓名,班级”，下面一人一行。")
    columns = _columns(table[0])
    if len(table) - 1 > MOST:
        raise LearnerError(f"一次最多导入 {MOST} 人，这份有 {len(table) - 1} 行。请分成几份。")
    seen: set[str] = set()
    return tuple(_row(n, cells, columns, known, seen, group) for n, cells in enumerate(table[1:], 2))


def _decoded(data: bytes) -> str:
    encodings = ["utf-16"] if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ["utf-8-sig", "gb18030"]
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise LearnerError("读不懂这份文件的编码。请用表格软件另存为 CSV（UTF-8 或 GBK）再上传。")


def _table(text: str) -> list[list[str]]:
    if "\x00" in text or text.startswith("PK"):
        raise LearnerError("这不是 CSV 文件。请在表格软件里“另存为 CSV”再上传。")
    first = text.split("\n", 1)[0]
    mark = max(",\t;，", key=first.count)
    if mark == "，":
        text, mark = text.replace("，", ","), ","
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=mark))
    except csv.Error:
        raise LearnerError("这份 CSV 的格式坏了（引号没有配对）。请用表格软件重新另存一次。") from None


def _columns(head: list[str]) -> dict[str, int]:
    plain = [h.strip().lower() for h in head]
    found = {k: next((plain.index(n) for n in names if n in plain), -1) for k, names in HEADS.items()}
    if found["login"] < 0 or found["name"] < 0:
        raise LearnerError("第一行要写明哪一列是工号（或登录名）、哪一列是姓名，例如“工号,姓名,班级”。")
    return found


def _row(
    line: int, cells: list[str], columns: dict[str, int], known: Collection[str], seen: set[str], group: str
) -> Row:
    def cell(key: str) -> str:
        return cells[columns[key]].strip() if 0 <= columns[key] < len(cells) else ""

    typed, name, into = cell("login"), cell("name"), (cell("group") or group)[:80]
    try:
        clean, name = login.clean_login(typed), login.clean_name(name)
    except LearnerError as error:
        error = error if typed else LearnerError("这一行没有写工号。")
        return Row(line=line, login=typed[:60], name=name[:40], group=into, state="wrong", why=str(error))
    if clean in seen:
        return Row(
            line=line, login=clean, name=name, group=into, state="twice", why="同一个工号前面已经有了，这行不用。"
        )
    seen.add(clean)
    exists = clean in known
    why = "已有账号，只加入班级，不改密码。" if exists else ""
    return Row(line=line, login=clean, name=name, group=into, state="known" if exists else "new", why=why)
