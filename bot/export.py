"""A report as a self-contained HTML page, PDF, CSV, JSON, or a few lines of text."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path
from typing import Any

from fpdf import FPDF
from fpdf.enums import WrapMode

from bot import sources, view
from bot.citations import load_shelf
from bot.errors import SetupError
from bot.records import Report, Snapshot, Turn
from bot.scenarios import Library

_FONTS = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/System/Library/Fonts/PingFang.ttc",
    "C:/Windows/Fonts/msyh.ttc",
    "C:/Windows/Fonts/simhei.ttf",
)
_NOTO_SC = 2  # the simplified-Chinese face inside the Noto Sans CJK collection


def render(kind: str, report: Report, snapshot: Snapshot, turns: tuple[Turn, ...], library: Library) -> bytes:
    """The report as a file of the given kind: html, pdf, csv (UTF-8 with BOM, for spreadsheets) or json."""
    if kind == "html":
        return as_html(report, snapshot, turns, library).encode()
    if kind == "pdf":
        return as_pdf(report, snapshot, turns, library)
    if kind == "csv":
        return as_csv(report, snapshot, turns, library).encode("utf-8-sig")
    return report.model_dump_json(indent=2).encode()


def as_html(report: Report, snapshot: Snapshot, turns: tuple[Turn, ...], library: Library) -> str:
    """One self-contained page: no script, nothing loaded from anywhere."""
    return view.environment().get_template("report.html").render(
        css=view.environment().get_template("style.css").render(),
        scenario=snapshot.scenario, report=report, mode=view.MODE_NAMES[snapshot.mode], names=code_names(library),
        redlines=library.redlines, curve=view.curve(report.start_mood, report.moods, report.moments),
        ending=view.ENDINGS.get(turns[-1].mind.ended, "") if turns else "", versions=snapshot.versions,
        rows=[row(t, report, turns, library) for t in turns],
    )  # fmt: skip


def row(turn: Turn, report: Report, turns: tuple[Turn, ...], library: Library, linked: bool = False) -> dict[str, Any]:
    """What a page shows of one turn; its citations are `linked` where the knowledge page can be reached."""
    before = turns[turn.n - 2].mind.mood if turn.n > 1 else report.start_mood
    return {
        "t": turn,
        "grade": report.turns[turn.n - 1],
        "spans": view.spans(turn.reply, turn.appraisal, library.taxonomy),
        "moved": turn.mind.mood - before,
        "cause": view.jump_cause(turn, library.taxonomy),
        "cites": lambda citation: sources.source(citation, load_shelf(library.root), linked),
    }


def code_names(library: Library) -> dict[str, str]:
    """Every code's Chinese name."""
    tax = library.taxonomy
    return {code: tax.name(code) for code in (*tax.techniques, *tax.antis, *tax.violations)}


def as_csv(report: Report, snapshot: Snapshot, turns: tuple[Turn, ...], library: Library) -> str:
    """One row per reply. Cells that a spreadsheet would run as a formula are quoted."""
    names = code_names(library)
    out = io.StringIO()
    sheet = csv.writer(out)
    sheet.writerow(
        ["场景", "总分", "等级", "轮次", "客户", "学员", "技巧", "反模式", "违规", "教练", "更好的说法", "愤怒", "信任"]
    )
    for turn, grade in zip(turns, report.turns, strict=True):
        read = turn.appraisal
        cells = [
            snapshot.scenario.id, f"{report.final:g}", report.grade, str(turn.n), turn.customer, turn.reply,
            "、".join(names[t.code] for t in read.techniques), "、".join(names[a.code] for a in read.antis),
            "、".join(names[v.code] for v in read.violations), grade.coaching.point, grade.coaching.better,
            f"{turn.mind.values['A']:.0f}", f"{turn.mind.values['T']:.0f}",
        ]  # fmt: skip
        sheet.writerow([f"'{c}" if c[:1] in "=+-@\t" else c for c in cells])
    return out.getvalue()


def as_text(report: Report, snapshot: Snapshot, library: Library) -> str:
    """The report in a few lines for a terminal."""
    lines = [
        f"── {snapshot.scenario.id} {snapshot.scenario.title} ──",
        f"总分 {report.final:.0f}（{report.grade}），{report.verdict}",
        f"满意度 {report.satisfaction:.0f}（{report.satisfaction_band}）",
    ]
    lines += [f"封顶 {c.points:.0f}：{c.name}（第 {c.turn} 轮）“{c.evidence}”" for c in report.caps]
    lines += [f"{i}. {f.title}：{f.advice}" for i, f in enumerate(report.focus, 1)]
    if snapshot.mode == "gate":
        lines += [f"{g.id} {g.name}：{'过关' if g.passed else '未过，' + '；'.join(g.missing)}" for g in report.gates]
    return "\n".join(lines)


def find_font() -> Path | None:
    """A Chinese font file for PDF: HUASU_PDF_FONT, else the usual places; None when there is none."""
    wanted = os.environ.get("HUASU_PDF_FONT", "")
    for candidate in (wanted, *_FONTS) if wanted else _FONTS:
        if Path(candidate).is_file():
            return Path(candidate)
    return None


def as_pdf(report: Report, snapshot: Snapshot, turns: tuple[Turn, ...], library: Library) -> bytes:
    """A PDF with the Chinese font embedded. Raises `SetupError` when the machine has no Chinese font."""
    font = find_font()
    if font is None:
        raise SetupError(
            "没有找到中文字体，导不出 PDF。请安装 fonts-noto-cjk，或用 HUASU_PDF_FONT 指向字体文件；也可先导出 HTML。"
        )
    pdf = FPDF()
    pdf.set_auto_page_break(True, margin=18)
    pdf.add_page()
    pdf.add_font("cjk", "", str(font), collection_font_number=_NOTO_SC if "Noto" in font.name else 0)
    for size, text in _pdf_lines(report, snapshot, turns, library):
        pdf.set_font("cjk", size=size)
        pdf.multi_cell(0, size * 0.62, text, new_x="LMARGIN", new_y="NEXT", wrapmode=WrapMode.CHAR)
        pdf.ln(1.2)
    return bytes(pdf.output())


def _pdf_lines(report: Report, snapshot: Snapshot, turns: tuple[Turn, ...], library: Library) -> list[tuple[int, str]]:
    names, s = code_names(library), snapshot.scenario
    lines = [
        (10, f"化诉 · {s.id} {s.title}（{view.MODE_NAMES[snapshot.mode]}，难度 {s.difficulty}）"),
        (20, f"{report.final:.0f} 分 · {report.grade}　{'通过' if report.passed else '未通过'}"),
        (12, report.verdict),
        (10, f"客户满意度 {report.satisfaction:.0f}（{report.satisfaction_band}）"),
    ]
    lines += [(11, f"封顶 {c.points:.0f}：{c.name}（第 {c.turn} 轮）“{c.evidence}”") for c in report.caps]
    lines.append((14, "八个维度"))
    scores = [f"{view.DIMENSION_NAMES[d]} {'—' if v is None else f'{v:.1f}'}" for d, v in report.dims.items()]
    lines.append((11, "　".join(scores)))
    if report.focus:
        lines.append((14, "最值得改的地方"))
        lines += [(11, f"{i}. {f.title}。{f.advice} {f.better}") for i, f in enumerate(report.focus, 1)]
    lines.append((14, "逐句回看"))
    for turn, grade in zip(turns, report.turns, strict=True):
        shown = "、".join(names[c] for c in dict.fromkeys(turn.appraisal.codes) if c in names) or "无"
        lines += [
            (11, f"第 {turn.n} 轮　客户：{turn.customer}"),
            (11, f"您：{turn.reply}"),
            (10, f"识别：{shown}。教练：{grade.coaching.point} {grade.coaching.better}"),
        ]
        lines += [
            (10, sources.plainly(c, load_shelf(library.root))) for v in turn.appraisal.violations for c in v.citations
        ]
    lines += [(14, "示范"), (11, s.exemplary), (11, s.exemplary_key)]
    return lines
