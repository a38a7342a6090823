"""A report as a self-contained HTML page, PDF, CSV, JSON, or a few lines of text."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from bot import sources, view, words
from bot.citations import load_shelf
from bot.compare import Fork, forks
from bot.pdf import as_pdf
from bot.records import Entry, Report, Snapshot, Turn
from bot.scenarios import Library
from bot.session import Session

_ATTEMPT = ("id", "owner", "started_at", "ended", "hints", "parent", "parent_turn", "assignment")
HINTED = "有提示"


@dataclass(frozen=True)
class Qualified:
    """What qualifies a score wherever it is exported: the attempt, the turns that had a hint, the forks it is part of."""

    entry: Entry | None = None
    hinted: frozenset[int] = frozenset()
    forks: tuple[Fork, ...] = ()

    @classmethod
    def of(cls, session: Session) -> Qualified:
        """Of a session."""
        return cls(session.entry, frozenset(h.n for h in session.hints), forks(session))

    @property
    def marks(self) -> tuple[str, ...]:
        """In words."""
        return words.marks(self.entry) if self.entry else ()


def of_session(kind: str, session: Session, report: Report) -> bytes:
    """The report of a session as a file, with everything that qualifies it."""
    return render(kind, report, session.snapshot, session.turns, session.parts.library, Qualified.of(session))


def render(
    kind: str, report: Report, snapshot: Snapshot, turns: tuple[Turn, ...], library: Library,
    qualified: Qualified | None = None,
) -> bytes:  # fmt: skip
    """The report as a file of the given kind: html, pdf, csv (UTF-8 with BOM, for spreadsheets) or json."""
    about = qualified or Qualified()
    if kind == "html":
        return as_html(report, snapshot, turns, library, about).encode()
    if kind == "pdf":
        return as_pdf(report, snapshot, turns, library, marks=about.marks, forks=about.forks, hinted=about.hinted)
    if kind == "csv":
        return as_csv(report, snapshot, turns, library, about).encode("utf-8-sig")
    return as_json(report, snapshot, about).encode()


def as_json(report: Report, snapshot: Snapshot, about: Qualified) -> str:
    """The report with the terms it was graded on and what qualifies it."""
    attempt = {
        "snapshot": snapshot.id, "mode": snapshot.mode, "seed": snapshot.seed, "versions": snapshot.versions,
        "marks": about.marks, "assisted": bool(about.hinted), "hinted_turns": sorted(about.hinted),
        **({k: getattr(about.entry, k) for k in _ATTEMPT} if about.entry else {}),
        "forks": [
            {"turn": f.n, "original": f.before.entry.id, "again": f.again.entry.id, "differs": f.differs}
            for f in about.forks
        ],
    }  # fmt: skip
    return json.dumps({**report.model_dump(mode="json"), "attempt": attempt}, ensure_ascii=False, indent=2)


def as_html(
    report: Report, snapshot: Snapshot, turns: tuple[Turn, ...], library: Library, about: Qualified | None = None
) -> str:
    """One self-contained page: no script, nothing loaded from anywhere."""
    about = about or Qualified()
    return view.environment().get_template("report.html").render(
        style=view.style(),
        scenario=snapshot.scenario, report=report, mode=view.MODE_NAMES[snapshot.mode], names=code_names(library),
        redlines=library.redlines, curve=view.curve(report.start_mood, report.moods, report.moments),
        radar=view.radar(report.dims), ending=view.ENDINGS.get(turns[-1].mind.ended, "") if turns else "",
        versions=snapshot.versions, rows=[row(t, report, turns, library) for t in turns], marks=about.marks,
        hinted=about.hinted, forks=[(f, overlaid(f)) for f in about.forks], snapshot_id=snapshot.id,
        gated=snapshot.mode == "gate",
    )  # fmt: skip


def overlaid(fork: Fork, width: int = 520, numbers: bool = True) -> Markup:
    """The two mood curves of a fork over each other, the original dashed."""
    return view.curve(fork.start, fork.again.moods, other=fork.before.moods, width=width, numbers=numbers)


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


def as_csv(
    report: Report, snapshot: Snapshot, turns: tuple[Turn, ...], library: Library, about: Qualified | None = None
) -> str:
    """One row per reply. Cells that a spreadsheet would run as a formula are quoted."""
    names, about = code_names(library), about or Qualified()
    out = io.StringIO()
    sheet = csv.writer(out)
    sheet.writerow(
        ["场景", "方式", "标注", "快照", "总分", "等级", "轮次", "客户", "学员", "技巧", "反模式", "违规", "教练",
         "更好的说法", "愤怒", "信任", "提示"]
    )  # fmt: skip
    for turn, grade in zip(turns, report.turns, strict=True):
        read = turn.appraisal
        cells = [
            snapshot.scenario.id, view.MODE_NAMES[snapshot.mode], "；".join(about.marks), snapshot.id,
            f"{report.final:g}", report.grade, str(turn.n), turn.customer, turn.reply,
            "、".join(names[t.code] for t in read.techniques), "、".join(names[a.code] for a in read.antis),
            "、".join(names[v.code] for v in read.violations), grade.coaching.point, grade.coaching.better,
            f"{turn.mind.values['A']:.0f}", f"{turn.mind.values['T']:.0f}",
            HINTED if turn.n in about.hinted else "",
        ]  # fmt: skip
        sheet.writerow([f"'{c}" if c and c[0] in "=+-@\t" else c for c in cells])
    return out.getvalue()


def as_text(report: Report, snapshot: Snapshot, library: Library, marks: Sequence[str] = ()) -> str:
    """The report in a few lines for a terminal."""
    lines = [
        f"── {snapshot.scenario.id} {snapshot.scenario.title} ──",
        f"总分 {report.final:.0f}（{report.grade}），{report.verdict}",
        *([f"标注：{'，'.join(marks)}"] if marks else []),
        f"满意度 {report.satisfaction:.0f}（{report.satisfaction_band}）",
    ]
    lines += [f"封顶 {c.points:.0f}：{c.name}（第 {c.turn} 轮）“{c.evidence}”" for c in report.caps]
    lines += [f"{i}. {f.title}：{f.advice}" for i, f in enumerate(report.focus, 1)]
    if snapshot.mode == "gate":
        lines += [f"{g.id} {g.name}：{'过关' if g.passed else '未过，' + '；'.join(g.missing)}" for g in report.gates]
    return "\n".join(lines)
