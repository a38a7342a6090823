"""What the commands do. Imported only when a command runs, because the stages behind it take a second to load."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, track

from bot import account, export, transcripts, view, words
from bot import doctor as checks
from bot.appraisal import Appraiser
from bot.errors import LearnerError
from bot.mind import MindRules
from bot.parts import Parts
from bot.records import Mode, Turn
from bot.retrieval import Index
from bot.scenarios import load_library
from bot.session import Session
from bot.settings import get_settings

out, err = Console(), Console(stderr=True)
DEBRIEF = (
    "先停一下。他说了不想活的话，这一句没有接住，练习停在这里，不是要怪您。下次按这个次序：放下业务，叫他的名字，直接而温和地问"
    "“您是不是有过不想活的念头”，请同事一起陪、别让他一个人，经他同意联系家里人，留下 12356（有危险打 110、120），人稳住了再谈账。"
)


def chat(scenario: str, persona: str, mode: Mode, seed: int | None) -> None:
    """Talk in the terminal until the talk ends or the learner leaves."""
    parts = Parts.open(get_settings())
    case = parts.current.scenario(scenario)
    if case.drills:
        for n, session in enumerate(Session.drill(parts, case.id, mode=mode, seed=seed), 1):
            out.print(f"[bold]第 {n} 题[/bold]")
            if not _talk(session, mode):
                return
        return
    confirmed = not case.safety_note or _confirmed(case.safety_note)
    _talk(Session.start(parts, scenario, persona_id=persona, mode=mode, seed=seed, confirmed=confirmed), mode)


def _confirmed(note: str) -> bool:
    out.print(escape(note))
    typed = _typed("看清楚了，开始吗？（输入 是）> ")
    return typed in ("是", "y", "yes")


def _talk(session: Session, mode: Mode) -> bool:
    """One talk in the terminal; whether it was talked to its end or to the learner's /结束."""
    _introduce(session)
    while not session.ended:
        typed = _typed()
        if typed is None or typed in ("/退出", "/quit"):
            out.print(f"已离开。这场对话存为 {session.id}。")
            return False
        if typed in ("/结束", "/end"):
            break
        try:
            if typed in ("/提示", "/hint"):
                _help(session)
                continue
            _show(session.say(typed), session, mode)
        except LearnerError as error:
            err.print(escape(str(error)))
    if session.debrief_due:
        _debrief(session)
    if session.turns:
        marks = words.marks(session.entry)
        out.print(escape(export.as_text(session.finish(), session.snapshot, session.parts.library, marks)))
        out.print(f"完整报告：huasu report {session.id} --format html")
    return True


def _debrief(session: Session) -> None:
    out.print(DEBRIEF)
    session.debrief(_typed("用自己的话写一句，下次您的第一句怎么说（回车表示读过了）> ") or "")


def index(paths: Sequence[Path], collection: str, rebuild: bool, as_json: bool) -> None:
    """Build or update the index, from the content or from files."""
    settings = get_settings()
    missing = [str(p) for p in paths if not p.exists()]
    if missing:
        raise LearnerError(f"找不到 {'、'.join(missing)}。请检查路径。")
    found = Index.rebuild(settings) if rebuild else Index.open(settings)
    with _bar("建立索引") as step:
        if paths:
            report = found.add_files(paths, collection, progress=step)
        else:
            report = found.sync_knowledge(load_library(settings.content_dir), progress=step)
    if as_json:
        print(json.dumps({**vars(report), "collections": found.collections()}, ensure_ascii=False))
    else:
        out.print(f"新增 {report.added}，更新 {report.updated}，未变 {report.unchanged}，删除 {report.removed}。")
    for name, said in report.notices:
        err.print(escape(f"注意 {name}：{said}"), soft_wrap=True)
    for name, reason in report.skipped:
        err.print(escape(f"跳过 {name}：{reason}"), soft_wrap=True)
    if paths and report.skipped and not (report.added or report.updated or report.unchanged):
        raise LearnerError("没有一个文件能加入索引，原因见上。")


def search(query: str, collection: str | None, k: int, as_json: bool) -> None:
    """Answer one query for people."""
    if not query.strip():
        raise LearnerError("要找什么？例：huasu search 征信记录能不能改。")
    passages = ready_index().find(query, collection, k)
    if as_json:
        print(json.dumps([p.model_dump() for p in passages], ensure_ascii=False))
        return
    for i, p in enumerate(passages, 1):
        marks = "，".join(m for m in (p.status, f"确信度 {p.conf}" if p.conf else "") if m)
        out.print(f"[bold]{i}. {escape(p.title)}[/bold] [dim]{escape(p.doc)} {escape(marks)}[/dim]")
        out.print(escape(p.text[:160]), soft_wrap=True)


def search_many(queries: Path, target: Path | None, collection: str | None, k: int) -> None:
    """Answer a file of queries with ranked documents."""
    found = ready_index()
    _batch(queries, target, lambda row, n: _ranked(found, row, n, collection, k))


def appraise(source: Path | None, target: Path | None) -> None:
    """Read a file of replies."""
    library = load_library(get_settings().content_dir)
    reader = Appraiser(library)
    _batch(
        source, target,
        lambda row, n: transcripts.appraise(transcripts.parsed(transcripts.AppraiseLine, row, n), library, reader),
    )  # fmt: skip


def grade(source: Path | None, target: Path | None) -> None:
    """Grade a file of finished talks."""
    library = load_library(get_settings().content_dir)
    reader, rules = Appraiser(library), MindRules(library.mind_rules, library.taxonomy)
    _batch(
        source, target,
        lambda row, n: transcripts.grade(transcripts.parsed(transcripts.GradeLine, row, n), library, reader, rules),
    )  # fmt: skip


def report(session_id: str, kind: str, target: Path | None) -> None:
    """Write a stored session's report; finishing the session if it is still open."""
    talk = Session.resume(Parts.open(get_settings()), session_id)
    content = export.of_session(kind, talk, talk.finish())
    if target is None and kind == "pdf":
        target = Path(f"huasu-{session_id[:8]}.pdf")
    if target is None:
        sys.stdout.buffer.write(content)
        return
    _write(target, content)
    err.print(f"已写入 {escape(str(target))}")


def calls(session_id: str, as_json: bool) -> None:
    """Show a trainer everything that passed between a session and its models."""
    talk = Session.resume(Parts.open(get_settings()), session_id)
    made = talk.parts.store.calls(session_id)
    disputed = [(g.n, v) for g in talk.parts.store.grades(session_id).values() for v in g.verdicts if v.disputed]
    if as_json:
        print(
            json.dumps(
                {
                    "calls": [c.model_dump() for c in made],
                    "totals": account.by_purpose(made),
                    "interventions": account.interventions(talk.turns),
                    "disputed": [{"turn": n, **v.model_dump()} for n, v in disputed],
                },
                ensure_ascii=False,
            )
        )
        return
    for number, call in enumerate(made, 1):
        out.print(f"[bold]{number}. {call.purpose}[/bold] {escape(call.model)}，{call.seconds:.1f} 秒")
        for message in call.messages:
            out.print(f"[dim]〔{message.role}〕[/dim] {escape(message.text)}", soft_wrap=True)
        out.print(f"[dim]〔回答〕[/dim] {escape(call.answer or call.error)}", soft_wrap=True)
    for purpose, total in account.by_purpose(made).items():
        out.print(f"{purpose}：{total['calls']:.0f} 次，读 {total['prompt_tokens']:.0f} 词元，"
                  f"写 {total['answer_tokens']:.0f} 词元，{total['seconds']:.1f} 秒，费用 {total['cost']:.4f}")  # fmt: skip
    for what, count in account.interventions(talk.turns).items():
        out.print(f"检查拦下 {what}：{count} 次")
    for n, verdict in disputed:
        out.print(
            f"第 {n} 轮评委与规则不一致：{escape(verdict.question)} 评委说：{escape(verdict.reason)}", soft_wrap=True
        )


def doctor(as_json: bool) -> bool:
    """Print the findings; whether nothing is wrong."""
    found = checks.examine(get_settings())
    if as_json:
        print(json.dumps([vars(f) for f in found], ensure_ascii=False))
    else:
        marks = {"ok": "[green]正常[/green]", "info": "[dim]提示[/dim]", "bad": "[red]有问题[/red]"}
        for f in found:
            out.print(f"{marks[f.state]} {f.name}：{escape(f.detail)}", soft_wrap=True)
            if f.fix:
                out.print(f"     [dim]→ {escape(f.fix)}[/dim]", soft_wrap=True)
    return all(f.state != "bad" for f in found)


def ready_index() -> Index:
    """The index, built first when it is still empty."""
    settings = get_settings()
    found = Index.open(settings)
    if not found.collections():
        err.print("第一次使用，正在建立内置知识库的索引……")
        with _bar("建立索引") as step:
            found.sync_knowledge(load_library(settings.content_dir), progress=step)
    return found


def _typed(prompt: str = "你> ") -> str | None:
    try:
        return input(prompt).strip()
    except (EOFError, KeyboardInterrupt):
        return None


def _introduce(session: Session) -> None:
    s = session.snapshot.scenario
    p = s.profile
    out.print(f"[bold]{escape(s.id)} {escape(s.title)}[/bold]（{escape(s.channel)}，难度 {s.difficulty}）")
    out.print(
        escape(f"客户档案：{p.name}，{p.gender}，{p.age} 岁，{p.job}；{p.product}，"
               f"余额 {p.balance} 元，逾期 {p.overdue_days} 天")
    )  # fmt: skip
    out.print(f"\n客户> {escape(s.opening)}")


def _show(turn: Turn, session: Session, mode: Mode) -> None:
    for notice in turn.answer.notices:
        out.print(f"[dim]{escape(notice)}[/dim]")
    out.print(f"客户> {escape(turn.answer.text)}")
    if mode == "practice":
        point = session.feedback(turn.n).coaching
        anger = turn.mind.values["A"]
        out.print(f"[dim]愤怒 {anger:.0f}，第 {turn.mind.stage} 阶段。教练：{escape(point.point)}[/dim]")
    run = session.gates
    if run:
        out.print(f"[dim]{escape(run.said)}{escape(f'教练示范：{run.demo}') if run.demo else ''}[/dim]")
    if session.ended:
        out.print(f"[dim]{view.ENDINGS.get(session.ended, '')}[/dim]")


def _help(session: Session) -> None:
    found = session.hint()
    begin = f"可以这样开头：{found.begin}" if found.begin else ""
    out.print(
        f"[dim]{escape(f'{found.state}先接住{found.catch}。这一步：{found.technique}。{found.move}{begin}')}[/dim]"
    )


def _ranked(found: Index, row: str, number: int, collection: str | None, k: int) -> dict[str, Any]:
    try:
        asked = json.loads(row)
        query_id, text = asked["id"], str(asked["query"])
    except (ValueError, KeyError, TypeError):
        raise LearnerError(f"第 {number} 行读不懂：每行应是 {{id, query}}。") from None
    ranked = found.rank(text, collection, k) if text.strip() else []
    return {"id": query_id, "ranked": [doc for doc, _ in ranked], "scores": [round(s, 6) for _, s in ranked]}


@contextmanager
def _bar(title: str) -> Iterator[Callable[[int, int, str], None]]:
    with Progress(console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task(title)

        def step(done: int, total: int, _what: str) -> None:
            bar.update(task, completed=done, total=total)

        yield step


def _batch(source: Path | None, target: Path | None, handle: Callable[[str, int], dict[str, Any]]) -> None:
    rows = [(n, row) for n, row in enumerate(_lines(source), 1) if row.strip()]
    results: Iterable[tuple[int, str]] = rows
    if target is not None:
        results = track(rows, description="处理中", console=err, disable=not err.is_terminal)
    done: list[str] = []
    for n, row in results:
        line = json.dumps(handle(row, n), ensure_ascii=False)
        if target is None:
            print(line, flush=True)
        done.append(line)
    if target is not None:
        _write(target, ("\n".join(done) + "\n" if done else "").encode())


def _lines(source: Path | None) -> list[str]:
    try:
        text = sys.stdin.buffer.read().decode("utf-8") if source is None else source.read_text(encoding="utf-8")
    except OSError:
        raise LearnerError(f"读不了 {source}。请检查路径和权限。") from None
    except UnicodeDecodeError:
        raise LearnerError("输入不是 UTF-8 编码。请另存为 UTF-8 的 JSONL。") from None
    return text.lstrip("\ufeff").split("\n")


def _write(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError:
        raise LearnerError(f"写不了 {path}。请检查路径和权限。") from None
