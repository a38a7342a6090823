"""The report as a PDF: the Chinese font is installed with the product and is embedded, so it looks the same on any machine."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

from fpdf import FPDF
from fpdf.fonts import TTFFont

from bot import sources, view
from bot.citations import load_shelf
from bot.compare import Fork
from bot.records import DIMENSIONS, Report, Snapshot, Turn
from bot.scenarios import Library


def _installed() -> Path:
    spec = find_spec("zhplot")  # carries Noto Sans SC (SIL Open Font License); the package itself is never run
    return Path((spec.submodule_search_locations or [""])[0] if spec else "") / "fonts" / "NotoSansSC-Regular.ttf"


FONT = _installed()
_RARE = (  # where a name's rare character is looked for when our font lacks it
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/System/Library/Fonts/PingFang.ttc",
    "C:/Windows/Fonts/msyh.ttc",
)
_NOTO_SC = 2  # the simplified-Chinese face inside the Noto Sans CJK collection
_INK, _SOFT, _ACCENT, _BAD, _LINE = (31, 42, 48), (86, 93, 97), (47, 111, 109), (161, 55, 31), (222, 216, 204)
_NEVER_FIRST, _NEVER_LAST = set("，。！？；：、）》』」”’…—%·,.!?;:)"), set("（《『「“‘(")
Colour = tuple[int, int, int]


class _Paper(FPDF):
    """A page with our font and the running foot."""

    def __init__(self, foot: str, text: str) -> None:
        super().__init__()
        self.foot = foot
        self.set_auto_page_break(True, margin=18)
        self.add_font("cjk", "", str(FONT))
        ours = self.fonts["cjk"]
        rare = _rare_font(text, set(ours.cmap) if isinstance(ours, TTFFont) else set())
        if rare:
            self.add_font("rare", "", str(rare), collection_font_number=_NOTO_SC if "Noto" in rare.name else 0)
            self.set_fallback_fonts(["rare"])
        self.set_font("cjk", size=11)
        self.add_page()

    def footer(self) -> None:
        """What talk this page belongs to, and its number."""
        self.set_y(-13)
        self._style(8, _SOFT)
        self.cell(0, 5, f"{self.foot}　第 {self.page_no()} 页", align="C")

    def _style(self, size: float, colour: Colour) -> None:
        self.set_font("cjk", size=size)
        self.set_text_color(*colour)

    def say(self, text: str, size: float = 10.5, colour: Colour = _INK, indent: float = 0) -> None:
        """A paragraph."""
        if not text:
            return
        self._style(size, colour)
        self.set_x(self.l_margin + indent)
        wrapped = "\n".join(_lines(text, self.epw - indent - 2 * self.c_margin, self.get_string_width))
        self.multi_cell(0, size * 0.56, wrapped, align="L", new_x="LMARGIN", new_y="NEXT")
        self.ln(0.8)

    def heading(self, text: str) -> None:
        """A heading that stays with what follows."""
        if self.will_page_break(26):
            self.add_page()
        self.ln(2.5)
        self.say(text, 13.5, _ACCENT)


def as_pdf(
    report: Report, snapshot: Snapshot, turns: Sequence[Turn], library: Library, *, marks: Sequence[str] = (),
    forks: Sequence[Fork] = (), hinted: frozenset[int] = frozenset(),
) -> bytes:  # fmt: skip
    """The whole report. Never fails for want of a font."""
    s, text = snapshot.scenario, report.model_dump_json() + "".join(t.model_dump_json() for t in turns)
    marked = f"（{'，'.join(marks)}）" if marks else ""
    paper = _Paper(f"化诉 {s.id} {s.title}{marked}　快照 {snapshot.id}", text + snapshot.model_dump_json())
    _head(paper, report, snapshot, marked)
    _curve(paper, report)
    _memory(paper, report)
    _radar(paper, report)
    _focus(paper, report)
    _sides(paper, report)
    for fork in forks:
        _fork(paper, fork)
    _replies(paper, report, turns, library, hinted)
    _rest(paper, report, snapshot)
    return bytes(paper.output())


def _head(paper: _Paper, report: Report, snapshot: Snapshot, marked: str) -> None:
    s = snapshot.scenario
    paper.say(f"{s.id} {s.title}　{view.MODE_NAMES[snapshot.mode]}　难度 {s.difficulty}{marked}", 10, _SOFT)
    paper.say(report.verdict, 14, _ACCENT if report.passed else _BAD)
    paper.say(
        f"{report.final:.0f} 分 · {report.grade}　满意度 {report.satisfaction:.0f}（{report.satisfaction_band}）", 12
    )
    for c in report.caps:
        paper.say(f"封顶 {c.points:.0f}：{c.name}（第 {c.turn} 轮）“{c.evidence}”", 10.5, _BAD)
    counted = [f"{a.name} {a.points:+.0f}" + (f"（第 {a.turn} 轮）" if a.turn else "")
               for a in (*report.penalties, *report.bonuses)]  # fmt: skip
    paper.say("　".join(counted), 10, _SOFT)


def _curve(paper: _Paper, report: Report) -> None:
    paper.heading("情绪曲线")
    values = [report.start_mood, *report.moods]
    left, top, width, height = paper.l_margin + 4, paper.get_y() + 5, paper.epw - 8, 34.0
    low, high = min(*values, -10) - 6, max(*values, 10) + 6

    def at(i: int) -> tuple[float, float]:
        return left + width * i / max(1, len(values) - 1), top + height * (high - values[i]) / (high - low)

    zero = top + height * high / (high - low)
    paper.set_draw_color(*_LINE)
    paper.line(left, zero, left + width, zero)
    paper.set_draw_color(*_ACCENT)
    paper.set_line_width(0.5)
    paper.polyline([at(i) for i in range(len(values))])
    paper.set_line_width(0.2)
    marks = {m.turn: "峰" if m.kind == "peak" else "终" for m in report.moments if m.kind in ("peak", "end")}
    for i in range(len(values)):
        x, y = at(i)
        paper.set_fill_color(*(_BAD if i and values[i] < values[i - 1] - 0.5 else _ACCENT))
        paper.circle(x, y, 1.1, style="F")
        paper._style(8, _SOFT)
        paper.text(x - 1.5, top + height + 6, str(i) if i else "开场")
        if i in marks:
            paper._style(10, _INK)
            paper.text(x - 1.8, max(top - 1, y - 2.2), marks[i])
    paper.set_y(top + height + 9)


def _memory(paper: _Paper, report: Report) -> None:
    for m in report.moments:
        name = {"peak": "峰", "end": "终", "jump": "转折"}[m.kind]
        paper.say(f"{name}　第 {m.turn} 轮（{m.mood:.0f}）　{m.cause}", 10)
    for line in report.remembered:
        paper.say(line, 9, _SOFT)


def _radar(paper: _Paper, report: Report) -> None:
    if paper.will_page_break(92):
        paper.add_page()
    paper.heading("八个维度（1–5 分）")
    cx, cy, radius = paper.w / 2, paper.get_y() + 36, 27.0

    def at(i: int, share: float) -> tuple[float, float]:
        turn = 2 * math.pi * i / len(DIMENSIONS) - math.pi / 2
        return cx + radius * share * math.cos(turn), cy + radius * share * math.sin(turn)

    paper.set_draw_color(*_LINE)
    for share in (0.25, 0.5, 0.75, 1.0):
        paper.polygon([at(i, share) for i in range(len(DIMENSIONS))])
    scores = [report.dims.get(d) for d in DIMENSIONS]
    paper.set_draw_color(*_ACCENT)
    paper.set_line_width(0.6)
    paper.polygon([at(i, 0 if v is None else max(0.04, (v - 1) / 4)) for i, v in enumerate(scores)])
    paper.set_line_width(0.2)
    for i, (code, value) in enumerate(zip(DIMENSIONS, scores, strict=True)):
        x, y = at(i, 1.2)
        label = f"{view.DIMENSION_NAMES[code]} {'—' if value is None else f'{value:.1f}'}"
        paper._style(9, _BAD if value is not None and value < 3 else _INK)
        shift = 0.5 if abs(x - cx) < 1 else 0.0 if x > cx else 1.0
        paper.text(x - paper.get_string_width(label) * shift, y + 1, label)
    paper.set_y(cy + radius + 11)


def _focus(paper: _Paper, report: Report) -> None:
    if report.focus:
        paper.heading("今天最值得改的")
    for i, f in enumerate(report.focus, 1):
        paper.say(f"{i}. {f.title}（第 {f.turn} 轮）", 11)
        paper.say(f"“{f.evidence}”", 10, _SOFT, 4)
        paper.say(f.advice, 10, _INK, 4)
        paper.say(f.better, 10, _ACCENT, 4)
        paper.say(f"下一步练：{f.drill}" if f.drill else "", 9.5, _SOFT, 4)


def _sides(paper: _Paper, report: Report) -> None:
    paper.heading("合规的两面")
    for side, name in (("hard", "压得太狠"), ("soft", "让得太多")):
        found = [s for s in report.slips if s.side == side]
        paper.say(f"{name}：{len(found)} 处" if found else f"{name}：没有", 10.5)
        for s in found:
            paper.say(f"第 {s.turn} 轮「{s.name}」“{s.evidence}”{f'　依据 {s.rule}' if s.rule else ''}", 10, _BAD, 4)


def _fork(paper: _Paper, fork: Fork) -> None:
    paper.heading(f"原来和重说（第 {fork.n} 轮）")
    paper.say(f"客户：{fork.customer}", 10, _SOFT)
    for name, side in (("原来", fork.before), ("重说", fork.again)):
        if side.turn:
            paper.say(f"{name}：{side.turn.reply}", 10.5)
            paper.say(f"客户回：{side.turn.answer.text}", 10, _SOFT, 4)
    for line in fork.differs:
        paper.say(f"· {line}", 10, _ACCENT)


def _replies(
    paper: _Paper, report: Report, turns: Sequence[Turn], library: Library, hinted: frozenset[int]
) -> None:  # fmt: skip
    paper.heading("逐句回看")
    shelf, name = load_shelf(library.root), library.taxonomy.name
    for turn, grade in zip(turns, report.turns, strict=True):
        shown = "、".join(name(c).split("（")[0] for c in dict.fromkeys(turn.appraisal.codes)) or "无"
        paper.say(f"第 {turn.n} 轮{'（有提示）' if turn.n in hinted else ''}　客户：{turn.customer}", 10, _SOFT)
        paper.say(f"您：{turn.reply}", 11)
        paper.say(f"识别：{shown}", 9.5, _SOFT, 4)
        for v in turn.appraisal.violations:
            line = library.redlines.get(v.redline)
            paper.say(f"{'致命红线' if v.level == 'fatal' else '严重违规'}：“{v.evidence}”", 10, _BAD, 4)
            for c in v.citations:
                paper.say(sources.plainly(c, shelf), 9.5, _SOFT, 4)
            if line and line.compliant:
                paper.say(f"可以这样说：{line.compliant[0]}", 10, _ACCENT, 4)
        paper.say(grade.coaching.point, 10, _INK, 4)
        paper.say(grade.coaching.better, 10, _ACCENT, 4)
        paper.ln(1.2)


def _rest(paper: _Paper, report: Report, snapshot: Snapshot) -> None:
    s = snapshot.scenario
    paper.heading("需求冰山")
    paper.say(f"他嘴上要的：{s.demand}")
    for key, what in (("need_business", s.need_business), ("need_emotional", s.need_emotional), *s.facts.items()):
        paper.say(f"{view.SLOT_NAMES[key]}（{'他说出来了' if key in report.found else '没听到'}）：{what}", 10)
    paper.heading("五步通关")
    for g in report.gates:
        tried = f"，{g.tries} 次没过" if g.tries else ""
        paper.say(f"{g.id} {g.name}：{'过关' if g.passed else '未过'}{tried}　{'；'.join(g.missing)}", 10)
    paper.heading("示范")
    paper.say(s.exemplary)
    paper.say(s.exemplary_key)


def _lines(text: str, room: float, width: Callable[[str], float]) -> list[str]:
    """Text broken into lines by Chinese rules: no closing mark begins a line, no opening mark ends one."""
    known: dict[str, float] = {}
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line, used = "", 0.0
        for ch in paragraph:
            wide = known.setdefault(ch, width(ch))
            if line and used + wide > room:
                keep = len(line) - (ch in _NEVER_FIRST)
                while keep > 1 and (line[keep - 1] in _NEVER_LAST or line[keep : keep + 1] in _NEVER_FIRST):
                    keep -= 1
                lines.append(line[:keep])
                line = line[keep:]
                used = sum(known[c] for c in line)
            line, used = line + ch, used + wide
        lines.append(line)
    return lines


def _rare_font(text: str, known: set[int]) -> Path | None:
    """A font for characters ours lacks: HUASU_PDF_FONT, else the system's; None when none is needed or found."""
    if all(ord(ch) in known or ch in "\n\r\t" for ch in text):
        return None
    candidates = (os.environ.get("HUASU_PDF_FONT", ""), *_RARE)
    return next((Path(c) for c in candidates if c and Path(c).is_file()), None)
