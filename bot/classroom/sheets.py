"""The class as a table for the file: CSV for anything, XLSX with one sheet per subject."""

from __future__ import annotations

import csv
import io
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from bot import export
from bot.classroom.room import Classroom
from bot.view import DIMENSION_NAMES, MODE_NAMES

Table = tuple[tuple[str, ...], list[tuple[Any, ...]]]


def tables(room: Classroom, group_id: str, days: int = 0) -> dict[str, Table]:
    """Every subject as head and rows: learners, assignments, talks, red lines, marks."""
    names, people = export.code_names(room.parts.library), room.activity(group_id, days)
    who = {p.id: (p.login, p.name) for p in people}
    works = {w.id: w for w in room.assignments(group_id)}
    titles = {i: s.title for i, s in room.parts.current.scenarios.items()}
    return {
        "学员": (
            ("工号", "姓名", "演练", "完成", "通过", "平均分", "最近一次"),
            [(p.login, p.name, p.talks, p.finished, p.passed, _round(p.mean), (p.last or "")[:10]) for p in people],
        ),
        "任务": (
            ("工号", "姓名", "场景", "方式", "截止", "次数", "最高分", "结果"),
            [
                (s.person.login, s.person.name, f"{works[w].scenario} {titles.get(works[w].scenario, '')}",
                 MODE_NAMES[works[w].mode], works[w].due, len(s.tries), _round(s.best), s.word)
                for w, standings in room.standings(group_id).items() for s in standings
            ],
        ),
        "红线": (
            ("工号", "姓名", "红线", "次数", "场数"),
            [(*who[r.head], names.get(r.code, r.code), r.count, r.talks) for r in room.reds(group_id, days) if r.head in who],
        ),
        "维度": (
            ("维度", "分数档", "场数"),
            [(DIMENSION_NAMES.get(d.code, d.code), int(d.head), d.talks) for d in room.dimensions(group_id, days)],
        ),
        "一致性": (
            ("维度", "样本", "相同", "相差不过一档", "加权κ", "下限", "上限"),
            [
                (DIMENSION_NAMES[a.dimension], a.n, a.same, a.near, _round(a.kappa, 3), _round(a.low, 3), _round(a.high, 3))
                for a in room.agreement(group_id)
            ],
        ),
    }  # fmt: skip


def as_csv(table: Table) -> bytes:
    """One subject, UTF-8 with BOM for spreadsheets; a cell that could be a formula is made text."""
    out = io.StringIO()
    sheet = csv.writer(out)
    sheet.writerow(table[0])
    sheet.writerows([[_plain(c, quoted=True) for c in row] for row in table[1]])
    return out.getvalue().encode("utf-8-sig")


def as_xlsx(found: dict[str, Table]) -> bytes:
    """Every subject on a sheet of its own."""
    book = Workbook()
    book.remove(book.active)
    for name, (head, rows) in found.items():
        sheet = book.create_sheet(name)
        for n, row in enumerate([head, *rows], 1):
            for column, value in enumerate(row, 1):
                cell = sheet.cell(n, column, _plain(value))
                if isinstance(cell.value, str):
                    cell.data_type = "s"  # what begins with = stays words
        for column, title in enumerate(head, 1):
            sheet.cell(1, column).font = Font(bold=True)
            widest = max((len(str(r[column - 1])) for r in rows), default=0)
            sheet.column_dimensions[get_column_letter(column)].width = min(40, 4 + 2 * max(len(title), widest // 2))
        sheet.freeze_panes = "A2"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _plain(value: Any, quoted: bool = False) -> Any:
    if value is None:
        return ""
    if isinstance(value, str):
        kept = "".join(ch for ch in value if ch >= " ")
        return f"'{kept}" if quoted and kept[:1] in tuple("=+-@\t") else kept
    return value


def _round(value: float | None, digits: int = 1) -> float | None:
    return None if value is None else round(value, digits)
