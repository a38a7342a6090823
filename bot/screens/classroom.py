"""班级: who practised, where the class stands and is stuck, its assignments, the talks to look at, and its people."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import streamlit as st

from bot import view
from bot.classroom import Classroom, Standing
from bot.records import Assignment, Group, Mode
from bot.screens import figures, frame
from bot.screens.marking import attempt
from bot.store import MOST, Due

SEEN, WORK, TALKS, AGREE, PEOPLE = "概况", "任务", "演练", "与系统一致", "成员"
PERIODS = {7: "近 7 天", 30: "近 30 天", 0: "全部"}
MODES: tuple[Mode, ...] = ("exam", "practice", "gate")
SHOWN, WEEKDAYS = 12, "一二三四五六日"


def render() -> None:
    """The page."""
    room = Classroom(frame.parts(), frame.require("trainer"))
    groups = room.groups()
    st.title("班级")
    if not groups:
        st.info(
            "还没有您的班级。建一个，再把学员加进来；学员账号由管理员在“管理”里建或导入。", icon=":material/groups:"
        )
        _create(room)
        return
    which, part = st.columns([2, 5], vertical_alignment="bottom")
    group = which.selectbox("班级", groups, format_func=lambda g: g.name, key="group")
    what = part.segmented_control("看什么", [SEEN, WORK, TALKS, AGREE, PEOPLE], default=SEEN, key="class-part",
                                  label_visibility="collapsed")  # fmt: skip
    room.prepare(group.id)
    {WORK: _work, TALKS: _talks, AGREE: figures.agreement, PEOPLE: _people}.get(str(what), _overview)(room, group)


def _create(room: Classroom) -> None:
    with st.form("new-group", border=True, clear_on_submit=True):
        name = st.text_input("新班级的名字", max_chars=40, placeholder="例如：城东支行一班")
        sent = st.form_submit_button("建班级", type="primary")
    if sent:
        attempt(lambda: room.create(name), "班级建好了。")


def _overview(room: Classroom, group: Group) -> None:
    days = int(st.segmented_control("时间", list(PERIODS), format_func=PERIODS.__getitem__, default=30, key="days",
                                    label_visibility="collapsed") or 0)  # fmt: skip
    learners = figures.people(room, group, days)
    if not learners:
        return
    figures.dimensions(room, group, days)
    figures.reds(room, group, days, learners)
    figures.stuck(room, group, days, learners)
    figures.export(room, group, days)


# ── assignments ──────────────────────────────────────────────────────────────────────────────────────


def _work(room: Classroom, group: Group) -> None:
    works = room.assignments(group.id)
    with st.expander("布置任务", expanded=not works):
        _assign(room, group)
    if not works:
        st.info("还没有布置过任务。布置之后，学员在“选场景”的最上面看到。", icon=":material/assignment:")
        return
    standings = room.standings(group.id)
    for work in sorted(works, key=lambda w: (w.closed, w.due), reverse=False):
        _one(room, work, standings[work.id])


def _assign(room: Classroom, group: Group) -> None:
    cases = room.parts.current.scenarios
    today = datetime.now().astimezone().date()
    with st.form("assign", border=False):
        scenario = st.selectbox("场景", list(cases), format_func=lambda i: f"{i} {cases[i].title}")
        mode_, due_, score_ = st.columns(3)
        mode = mode_.selectbox("方式", MODES, format_func=view.MODE_NAMES.__getitem__,
                               help="考核每人只有一次，所有人遇到同样的客户。")  # fmt: skip
        due = due_.selectbox("截止", [today + timedelta(days=d) for d in range(61)], index=7, format_func=_day)
        score = score_.number_input("几分算通过", 0, 100, 75, step=5)
        clean = st.checkbox("碰了红线就不算通过", value=True)
        same = st.checkbox("练习和闯关也让所有人遇到同样的客户", value=False)
        note = st.text_input("给学员的一句话（可不填）", max_chars=200)
        sent = st.form_submit_button("布置", type="primary")
    if sent:
        attempt(
            lambda: room.assign(group.id, scenario, mode=mode, due=due, pass_score=score, clean=clean,
                                seed=7 if same else None, note=note),
            "任务布置好了。",
        )  # fmt: skip


def _one(room: Classroom, work: Assignment, standings: tuple[Standing, ...]) -> None:
    case = room.parts.current.scenarios.get(work.scenario)
    passed = sum(s.passed for s in standings)
    begun = sum(bool(s.tries) for s in standings)
    state = "已收回" if work.closed else f"{_day(date.fromisoformat(work.due))}截止"
    title = f"{work.scenario} {case.title if case else ''}　{view.MODE_NAMES[work.mode]}　{state}　{passed}/{len(standings)} 人通过"
    with st.expander(title):
        rule = f"{work.pass_score:g} 分通过{'，不能碰红线' if work.clean else ''}"
        st.caption(f"{rule}　{begun} 人开始过　{work.by} 布置{'　' + work.note if work.note else ''}")
        kinds = {"通过": "good", "未通过": "warn"}
        rows = [
            (s.person.name, s.person.login, len(s.tries), "—" if s.best is None else f"{s.best:.0f}",
             {"text": s.word, "kind": kinds.get(s.word, "")})
            for s in sorted(standings, key=lambda s: (s.passed, bool(s.tries), s.person.login))
        ]  # fmt: skip
        frame.show(view.fragment("grid", head=("姓名", "工号", "次数", "最高分", "结果"), rows=rows))
        if st.button("重新打开" if work.closed else "收回任务", key=f"close-{work.id}"):
            attempt(lambda: room.close(work.id, not work.closed), "已重新打开。" if work.closed else "已收回。")


def _day(day: date) -> str:
    return f"{day.month}月{day.day}日（周{WEEKDAYS[day.weekday()]}）"


# ── talks ────────────────────────────────────────────────────────────────────────────────────────────


def _talks(room: Classroom, group: Group) -> None:
    going = room.going_on(group.id)
    if going:
        st.subheader(f"正在谈（{len(going)}）")
        _list(going, "live")
    due = room.due(group.id)
    st.subheader(f"待看（{len(due)}{'+' if len(due) >= MOST else ''}）" if due else "待看")
    st.caption("申诉、没接住的求助、碰红线和 60 分以下的；看过写了评语或复评的就不再列出。")
    if due:
        _list(due[:SHOWN], "due")
        if len(due) > SHOWN:
            st.caption(f"先看这些；还有 {len(due) - SHOWN}{'+' if len(due) >= MOST else ''} 场排在后面。")
    else:
        st.info("没有需要看的。", icon=":material/check:")
    st.subheader("按学员找")
    people = {p.id: p for p in room.activity(group.id)}
    who = st.selectbox("学员", list(people), index=None, format_func=lambda i: f"{people[i].name}（{people[i].login}）",
                       placeholder="选一位学员", key="find-learner")  # fmt: skip
    if who:
        found = room.talks(group.id, who)
        if found:
            _list(found[: 2 * SHOWN], "all")
        else:
            st.info("他还没有开口谈过。", icon=":material/info:")


def _list(rows: tuple[Due, ...], key: str) -> None:
    with st.container(border=True):
        for d in rows:
            what, action = st.columns([6, 1], vertical_alignment="center")
            with what:
                frame.show(view.fragment("standing", d=d, mode=view.MODE_NAMES.get(d.mode, d.mode), tags=_tags(d),
                                         when=figures.local(d.started_at)))  # fmt: skip
            if action.button("观摩", key=f"{key}-{d.id}", width="stretch"):
                frame.go("observe", d.id)


def _tags(d: Due) -> list[tuple[str, str]]:
    found = []
    if d.appeals:
        found.append(("有申诉", "warn"))
    if d.ended == "crisis_missed":
        found.append(("没接住求助", "bad"))
    if d.reds:
        found.append((f"红线 {d.reds}", "bad"))
    if d.seen:
        found.append(("已看过", "good"))
    return found


# ── people ───────────────────────────────────────────────────────────────────────────────────────────


def _people(room: Classroom, group: Group) -> None:
    inside = room.people(group.id)
    users = {u.id: u for u in room.parts.users.all()}
    learners = [users[i] for i, role in inside.items() if role == "learner" and i in users]
    trainers = [users[i] for i, role in inside.items() if role == "trainer" and i in users]
    st.caption(f"培训师：{'、'.join(u.name for u in trainers) or '还没有'}　学员 {len(learners)} 人")
    rows = [(u.name, u.login, "已停用" if u.disabled else "") for u in sorted(learners, key=lambda u: u.login)]
    if rows:
        frame.show(view.fragment("grid", head=("姓名", "工号", ""), rows=rows))
    else:
        st.info("班里还没有学员。", icon=":material/group_add:")
    left, right = st.columns(2)
    with left:
        _join(room, group)
    with right, st.form("leave", border=True, clear_on_submit=True):
        out = st.multiselect("移出班级", list(inside), format_func=lambda i: users[i].name if i in users else "？",
                             placeholder="选要移出的人", key="leave-who")  # fmt: skip
        if st.form_submit_button("移出") and out:
            attempt(lambda: room.remove(group.id, out), "已移出。")
    _create(room)


def _join(room: Classroom, group: Group) -> None:
    with st.form("join", border=True, clear_on_submit=True):
        new = {u.id: u for u in room.candidates(group.id, "learner")}
        who = st.multiselect("加入学员", list(new), format_func=lambda i: f"{new[i].name}（{new[i].login}）",
                             placeholder="选学员" if new else "没有可加的账号", key="join-who")  # fmt: skip
        able = {u.id: u for u in room.candidates(group.id, "trainer")}
        help_ = st.multiselect("加入培训师", list(able), format_func=lambda i: able[i].name,
                               placeholder="选培训师" if able else "没有可加的账号", key="join-trainer")  # fmt: skip
        if st.form_submit_button("加入", type="primary") and (who or help_):

            def both() -> None:
                if who:
                    room.add(group.id, who, "learner")
                if help_:
                    room.add(group.id, help_, "trainer")

            attempt(both, "已加入。")
