"""The built-in collections: regulations with red lines, cases, techniques with concept cards."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bot.records import RedLine, Scenario
from bot.retrieval.asks import Asks
from bot.retrieval.chunks import LINKS, Chunk, front_matter
from bot.retrieval.links import citing
from bot.retrieval.readers import Unreadable, decoded, from_file
from bot.scenarios import Library

BUILTIN = frozenset(("regulations", "cases", "techniques"))


def builtin(library: Library, skipped: list[tuple[str, str]]) -> dict[str, list[Chunk]]:
    """Every built-in chunk, by collection; files that cannot be read go to `skipped`. What a case hides is not here.

    Each carries the everyday questions it answers and the sections it cites.
    """
    knowledge = library.root / "knowledge"
    regulations = _folder(knowledge / "regulations", "rule", skipped)
    found = {
        "regulations": [*regulations, *(_redline(r) for r in library.redlines.values())],
        "cases": [chunk for s in library.scenarios.values() for chunk in _case(s)],
        "techniques": [*_cards(library), *_folder(knowledge / "concepts", "concept", skipped)],
    }
    asks, cited = Asks(knowledge / "retrieval" / "asks"), citing(library, found["regulations"])
    return {name: [_linked(asks.added(c), cited) for c in chunks] for name, chunks in found.items()}


def _linked(chunk: Chunk, cited: Mapping[str, str]) -> Chunk:
    return chunk.with_meta(**{LINKS: cited[chunk.doc]}) if chunk.doc in cited else chunk


def _folder(folder: Path, kind: str, skipped: list[tuple[str, str]]) -> list[Chunk]:
    found: list[Chunk] = []
    for path in sorted(folder.glob("*.md")):
        try:
            text = decoded(path.read_bytes())
            if text.startswith("---\n") and not front_matter(text)[0]:
                raise Unreadable("开头两条 --- 之间的 YAML 写法有误，请改正")
            found += [c.with_meta(kind=kind) for c in from_file(path, path.stem)]
        except Unreadable as reason:
            skipped.append((path.name, str(reason)))
    return found


def _redline(r: RedLine) -> Chunk:
    cited = "；".join(f"《{c.doc}》{c.article}（确信度{c.conf}）" for c in r.citations)
    text = f"{r.description} 违规例：{'／'.join(r.violating[:3])} 合规说法：{'／'.join(r.compliant[:1])} 依据：{cited}"
    shown = {"status": "现行", "severity": r.severity, "kind": "redline"}
    return Chunk(f"{r.id}#0", r.id, f"红线 {r.id} {r.name}", text, shown)


def _case(s: Scenario) -> list[Chunk]:
    p = s.profile
    public = f"{s.title}。客户：{p.name}，{p.job}，{p.product}，逾期{p.overdue_days}天。开口：{s.opening}"
    shown = {"module": s.outline_ref, "scenario": s.id}
    return [
        Chunk(f"{s.id}#案情", s.id, f"{s.id} {s.title}", public, {**shown, "kind": "case"}),
        Chunk(f"{s.id}#示范", s.id, f"{s.id} {s.title} 示范", s.exemplary, {**shown, "kind": "exemplar"}),
    ]


def _cards(library: Library) -> list[Chunk]:
    tax, found = library.taxonomy, []
    for t in tax.techniques.values():
        text = f"{t.definition} 为什么有效：{t.why_it_works} 例：{'／'.join(t.positives[:2])}"
        shown = {"module": t.module, "kind": "technique"}
        found.append(Chunk(f"{t.code}#0", t.code, f"技巧 {t.name}", text[:600], shown))
    for a in tax.antis.values():
        text = f"{a.definition} 例：{'／'.join(a.examples)} 改法：{a.rewrite}"
        found.append(Chunk(f"{a.code}#0", a.code, f"反模式 {a.name}", text[:600], {"kind": "anti"}))
    for v in tax.violations.values():
        text = f"{v.definition} 例：{'／'.join(v.examples)} 不算违规：{v.not_violation}"
        found.append(Chunk(f"{v.code}#0", v.code, f"违规 {v.name}", text[:600], {"kind": "violation"}))
    return found
