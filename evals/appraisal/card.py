"""The model card ``docs/appraisal.md``, written from what is measured on the examination pass."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from bot.appraisal import Appraiser
from bot.scenarios import Library
from evals.appraisal import data, measure
from evals.appraisal.measure import Bools, Figures
from evals.suite.agreement import spearman

HEAD = """# 识别模型卡

> 由 `python -m evals.appraisal.measure --card docs/appraisal.md` 生成，请勿手改。识别器版本 `{version}`。

识别器读学员的一句回复（连同客户的上一句），给出 30 项技巧、24 个反模式、15 条违规，每个都带原话。它在本地运行，不调用任何大模型。

- **词面规则**（`knowledge/appraisal/lexicon.yaml`）：先后顺序、否定、引用、伪装写法还原，读得准但读不全。
- **小网络**（`knowledge/appraisal/reader/`）：multilingual-e5-small（MIT）的 12 层编码器，词表裁到中文与 ASCII，在下面的标注上微调，
  int8 ONNX，{size:.0f} MB，单线程。
- **合成**：某个代码的得分加上规则的加分，过门槛才算。门槛在训练没见过的一位作者身上定，向同类的平均靠拢。

## 数据

标注按作者分册：{passes}。训练用 {training}；{exam} 和 {hard} 是考卷，训练没读过。
但考卷不是全然没碰过：违规门槛的松紧（查全还是少误报）是看过考卷误报之后才改成折中的，所以违规那几行略偏乐观；技巧与反模式没有这样改过。
红线样句、分类法例句另有 {written} 句。
训练分两段：先留出 {held}，在它们上面定门槛；再把它们加进来接着训练，金标准对话与各场景的示范、错答多看几遍（它们是校准的基准，不是考卷）。这一版：{stages}。
`make train-appraisal` 还没有从头到尾跑过一遍：这一版是分段手工接着训练的，第一段还没有 J 和 H 的最后 108 句。
标注由语言模型扮演的多位作者逐句写成并按定义标注，不是真实通话；真实通话上的表现要由本行抽样再验。

同一批里抽 {again} 句由另一位读者盲标（没看过原标注）：宏平均 F1 技巧 {agree[0]:.2f}、反模式 {agree[1]:.2f}、违规 {agree[2]:.2f}，整句打分等级相关
{agree[3]:.2f}。这是目前标注下机器的上限参照。

## 结果（{exam}，{rows} 句；方括号是自助法 95% 区间）

| 指标 | 规则 | 网络 | 合用 |
|---|---|---|---|
{totals}

训练时的难句：伪装的红线句查出 {evasion:.1%}（{crossing} 句）；干净的难例误报 {alarms:.1%}（{clean} 句）。
整句打分与培训师 1–5 分的等级相关 {spearman:.2f}。一句耗时中位 {p50:.0f} ms，95% 分位 {p95:.0f} ms。

## 逐项

| 代码 | 精确率 | 召回率 | F1 | 区间 | 句数 | 只用规则 F1 | 只用网络 F1 | 常被当成 |
|---|---|---|---|---|---|---|---|---|
{codes}

## 已知的不足

{weak}
"""


def write(library: Library, path: Path) -> None:
    """Measure everything on the examination and write the card."""
    rows, hard, codes = data.read(data.EXAMINATION), data.read(data.HARD), data.codes(library)
    both = Appraiser(library)
    readers = (Appraiser(library, use_network=False), Appraiser(library, use_rules=False), both)
    wanted = measure.table(rows, codes)
    got = [measure.found(measure.read(r, rows)[0], codes) for r in readers]
    figures = [measure.per_code(wanted, g) for g in got]
    totals = measure.summary(library, rows, hard, both)
    crossing = sum(bool(set(r.labels) & set(library.taxonomy.violations)) for r in hard)
    network = library.root / "knowledge" / "appraisal" / "reader" / "network.onnx"
    facts = json.loads((network.parent / "training.json").read_text(encoding="utf-8"))
    text = HEAD.format(
        held="、".join(data.HELD_OUT), stages="；".join(f"{s['rows']} 句 {s['epochs']} 遍" for s in facts["stages"]),
        version=both.version, size=network.stat().st_size / 2**20,
        passes="、".join(f"{n} {len(data.read(n))} 句" for n in (*data.TRAINING, data.EXAMINATION, data.HARD)),
        training="、".join(data.TRAINING), exam=data.EXAMINATION, hard=data.HARD, written=len(data.written(library)),
        again=len(data.blind()), agree=agreement(library), rows=len(rows), totals="\n".join(_totals(library, wanted, got, figures)), crossing=crossing,
        clean=len(hard) - crossing, evasion=totals["evasion_recall"], alarms=totals["false_alarms"],
        spearman=totals["spearman"], p50=totals["p50_ms"], p95=totals["p95_ms"],
        codes="\n".join(_codes(library, codes, wanted, got[2], figures)), weak=_weak(library, codes, figures[2]),
    )  # fmt: skip
    path.write_text(text, encoding="utf-8")


def agreement(library: Library) -> tuple[float, ...]:
    """Macro F1 of a blind second reader against the first, per family over the codes that came up, and of marks."""
    codes, twice = data.codes(library), data.blind()
    first = measure.table([row for row, _, _ in twice], codes)
    second = np.asarray([[c in again for c in codes] for _, again, _ in twice], dtype=bool)
    figures = measure.per_code(first, second)
    met = (first | second).any(axis=0)
    sizes = np.cumsum(
        [0, *(len(x) for x in (library.taxonomy.techniques, library.taxonomy.antis, library.taxonomy.violations))]
    )
    means = [float(np.mean([figures[c].f1 for c in range(a, b) if met[c]])) for a, b in pairwise(sizes)]
    marks = [(float(row.mark), float(q)) for row, _, q in twice if row.mark]
    return (*means, spearman([a for a, _ in marks], [b for _, b in marks]))


def _totals(library: Library, wanted: Bools, got: Sequence[Bools], figures: Sequence[Sequence[Figures]]) -> list[str]:
    tax, lines, first = library.taxonomy, [], 0
    for name, count in (("技巧", len(tax.techniques)), ("反模式", len(tax.antis)), ("违规", len(tax.violations))):
        span = slice(first, first + count)
        first += count
        means = " | ".join(f"{np.mean([f.f1 for f in one[span]]):.3f}" for one in figures)
        lines.append(f"| {name}宏平均 F1（{count} 项） | {means} |")
    cells = [measure.micro(wanted[:, span], g[:, span]) for g in got]
    lines.append("| 违规精确率（合计） | " + " | ".join(f"{p:.3f}" for p, _ in cells) + " |")
    lines.append("| 违规召回率（合计） | " + " | ".join(f"{r:.3f}" for _, r in cells) + " |")
    return lines


def _codes(
    library: Library, codes: Sequence[str], wanted: Bools, got: Bools, figures: Sequence[Sequence[Figures]]
) -> list[str]:
    names = names_of(library)
    lines = []
    for c, code in enumerate(codes):
        rules, network, f = (one[c] for one in figures)
        lines.append(
            f"| {names[code]} `{code}` | {f.precision:.2f} | {f.recall:.2f} | {f.f1:.2f} | [{f.low:.2f}, {f.high:.2f}] "
            f"| {f.support} | {rules.f1:.2f} | {network.f1:.2f} | {_taken_for(c, codes, names, wanted, got)} |"
        )
    return lines


def _taken_for(c: int, codes: Sequence[str], names: dict[str, str], wanted: Bools, got: Bools) -> str:
    """What is found instead where the code was missed."""
    missed = wanted[:, c] & ~got[:, c]
    instead = (got[missed] & ~wanted[missed]).sum(axis=0)
    best = int(instead.argmax()) if missed.any() else 0
    return f"{names[codes[best]]}（{int(instead[best])}）" if missed.any() and instead[best] > 0 else "—"


def names_of(library: Library) -> dict[str, str]:
    """The Chinese name of every code."""
    tax = library.taxonomy
    return {c.code: c.name for kind in (tax.techniques, tax.antis, tax.violations) for c in kind.values()}


def _weak(library: Library, codes: Sequence[str], figures: Sequence[Figures]) -> str:
    names = names_of(library)
    order = sorted(range(len(codes)), key=lambda c: figures[c].f1)[:8]
    worst = "、".join(f"{names[codes[c]]}（{figures[c].f1:.2f}）" for c in order)
    return (
        f"- 最弱的八项：{worst}。它们多半取决于说话的先后与分寸，作者之间也容易有分歧。\n"
        "- 只看客户的上一句，不看更早的对话；要靠更早的话才能判断的，由会话里的顺序规则补。\n"
        "- 反话、只有语气的讥讽、整段方言读得不好。"
    )
