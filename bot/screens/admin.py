"""管理: accounts and roles, the roster of learners, models and health, how long talks are kept, and the audit log."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

import streamlit as st

from bot import doctor, rosters, view
from bot.errors import HuasuError
from bot.people import ANONYMISE, DELETE, ROLE_NAMES, People, kept_for
from bot.records import ROLES, User
from bot.rosters import Row
from bot.screens import frame
from bot.screens.figures import local
from bot.screens.marking import attempt

ACCOUNTS, ROSTER, HEALTH, KEEP, LOG = "账号", "导入学员", "模型与健康", "数据保留", "审计"
TOLD, MADE, FOUND = "told-password", "roster-made", "health"
HOW = {ANONYMISE: "去掉姓名和评语，演练留作统计", DELETE: "整场删除"}
STATES = {"new": ("新建", "good"), "known": ("已有", ""), "twice": ("重复", "warn"), "wrong": ("有误", "bad")}
MARKS = {"ok": ("正常", "good"), "info": ("提示", ""), "bad": ("有问题", "bad")}


def render() -> None:
    """The page."""
    desk = People(frame.parts(), frame.require("admin"))
    st.title("管理")
    what = st.segmented_control("看什么", [ACCOUNTS, ROSTER, HEALTH, KEEP, LOG], default=ACCOUNTS, key="admin-part",
                                label_visibility="collapsed")  # fmt: skip
    if not frame.parts().settings.accounts and what in (ACCOUNTS, ROSTER, None):
        st.info(
            "现在是单人模式，不用登录，只有本机能打开。要让多人各用各的账号：先运行 huasu user add 登录名 --role admin，"
            "再设置 HUASU_LOGIN=local 重新启动。账号可以现在就建好。",
            icon=":material/person:",
        )
    {ROSTER: _roster, HEALTH: _health, KEEP: _keep, LOG: _log}.get(str(what), _accounts)(desk)


# ── accounts ─────────────────────────────────────────────────────────────────────────────────────────


def _accounts(desk: People) -> None:
    if told := st.session_state.get(TOLD):
        st.success(f"{told[0]} 的第一次密码：`{told[1]}`　请当面告诉本人，登录后必须换。", icon=":material/key:")
    users = desk.all()
    left, right = st.columns([3, 2], gap="medium")
    with left:
        find = st.text_input("找账号", key="find-user", placeholder="姓名或登录名").strip().lower()
        found = [u for u in users if not find or find in u.login or find in u.name.lower()]
        if found:
            frame.show(view.fragment("grid", head=("姓名", "登录名", "角色", "状态"), rows=[_line(u) for u in found]))
        else:
            st.info("没有这样的账号。" if users else "还没有账号。在右边建第一个。", icon=":material/person_search:")
    with right:
        _new(desk)
        if found:
            _change(desk, found)


def _line(u: User) -> tuple[object, ...]:
    state = (
        {"text": "已停用", "kind": "bad"}
        if u.disabled
        else {"text": "未改密码", "kind": "warn"}
        if u.must_change
        else "正常"
    )
    return u.name, u.login, "、".join(ROLE_NAMES[r] for r in u.roles), state


def _new(desk: People) -> None:
    with st.form("new-user", border=True, clear_on_submit=True):
        st.markdown("**建账号**")
        name_, login_ = st.columns(2)
        name = name_.text_input("姓名", max_chars=40)
        login = login_.text_input("登录名", max_chars=60, placeholder="工号")
        roles = st.pills("角色", ROLES, format_func=ROLE_NAMES.__getitem__, selection_mode="multi", default=["learner"])
        sent = st.form_submit_button("建账号", type="primary")
    if sent:

        def make() -> None:
            user, password = desk.add(login, name, [r for r in ROLES if r in roles])
            st.session_state[TOLD] = (user.name, password)

        attempt(make, "账号建好了。")


def _change(desk: People, users: list[User]) -> None:
    with st.container(border=True):
        st.markdown("**改账号**")
        user = st.selectbox("谁", users, format_func=lambda u: f"{u.name}（{u.login}）", key="which-user",
                            label_visibility="collapsed")  # fmt: skip
        roles = st.pills("角色", ROLES, format_func=ROLE_NAMES.__getitem__, selection_mode="multi",
                         default=list(user.roles), key=f"roles-{user.id}-{'-'.join(user.roles)}")  # fmt: skip
        with st.container(horizontal=True):
            if st.button("保存角色", disabled=tuple(r for r in ROLES if r in roles) == user.roles):
                attempt(lambda: desk.set_roles(user.id, [r for r in ROLES if r in roles]), "角色改好了。")
            if st.button("重置密码"):
                attempt(lambda: st.session_state.update({TOLD: (user.name, desk.reset(user.id))}), "密码重置了。")
            if st.button("启用" if user.disabled else "停用"):
                attempt(
                    lambda: desk.set_disabled(user.id, not user.disabled), "已启用。" if user.disabled else "已停用。"
                )


# ── roster ───────────────────────────────────────────────────────────────────────────────────────────


def _roster(desk: People) -> None:
    st.caption("CSV 文件，UTF-8 或 GBK，第一行是“工号,姓名,班级”。已有的账号只加入班级，不会改动。")
    st.download_button(
        "下载样例", rosters.EXAMPLE.encode("utf-8-sig"), "学员名单样例.csv", "text/csv", on_click="ignore"
    )
    file = st.file_uploader("学员名单", ["csv", "txt"], key="roster")
    group = st.text_input("没写班级的人进哪个班（可不填）", max_chars=40, key="roster-group").strip()
    if file is None:
        _made()
        return
    try:
        rows = rosters.read(file.getvalue(), {u.login for u in desk.all()}, group)
    except HuasuError as error:
        st.error(str(error), icon=":material/error:")
        return
    counts = {s: sum(r.state == s for r in rows) for s in STATES}
    st.markdown("　".join(f"{STATES[s][0]} **{n}**" for s, n in counts.items() if n) or "没有学员")
    frame.show(view.fragment("grid", head=("行", "工号", "姓名", "班级", "", "说明"), rows=[_preview(r) for r in rows]))
    usable = counts["new"] + counts["known"]
    if st.button(f"导入这 {usable} 人", type="primary", disabled=not usable):
        bar = st.progress(0.0, text="正在建账号……")

        def show(done: int, total: int) -> None:
            bar.progress(done / total, text=f"正在建账号 {done}/{total}")

        made = desk.take_in(rows, show)
        bar.empty()
        st.session_state[MADE] = [(u.login, u.name, p) for u, p in made]
        st.toast("导入好了。")
    _made()


def _preview(r: Row) -> tuple[object, ...]:
    words, kind = STATES[r.state]
    return r.line, r.login, r.name, r.group, {"text": words, "kind": kind}, r.why


def _made() -> None:
    made = st.session_state.get(MADE)
    if made:
        st.success(
            f"新建了 {len(made)} 个账号。第一次密码只在这里给一次，请现在下载，发完就删。", icon=":material/key:"
        )
        st.download_button("下载第一次密码", _passwords(made), "第一次密码.csv", "text/csv", on_click="ignore")


def _passwords(made: Iterable[tuple[str, str, str]]) -> bytes:
    out = io.StringIO()
    sheet = csv.writer(out)
    sheet.writerow(("工号", "姓名", "第一次密码"))
    sheet.writerows((f"'{a}" if a[:1] in "=+-@" else a, f"'{b}" if b[:1] in "=+-@" else b, c) for a, b, c in made)
    return out.getvalue().encode("utf-8-sig")


# ── health, keeping, log ─────────────────────────────────────────────────────────────────────────────


def _health(desk: People) -> None:
    settings = frame.parts().settings
    rows = [
        ("登录", {"off": "单人模式", "local": "本地账号", "oidc": "单位统一登录"}[settings.login], "HUASU_LOGIN"),
        ("模型地址", settings.base_url or "没有配置", "OPENAI_BASE_URL"),
        ("客户模型", settings.voice_model or "内置台词", "HUASU_VOICE_MODEL"),
        ("评委模型", settings.judge_model or "只按规则", "HUASU_JUDGE_MODEL"),
        ("数据库", settings.database.split(":", 1)[0], "HUASU_DATABASE_URL"),
        ("开放的危机场景", settings.crisis_scenarios or "无", "HUASU_CRISIS_SCENARIOS"),
    ]
    frame.show(view.fragment("grid", head=("项目", "现在", "在哪里改"), rows=rows))
    if st.button("体检（配了模型要等几十秒）", type="primary"):
        with st.spinner("正在逐项检查……", show_time=False):
            st.session_state[FOUND] = doctor.examine(settings)
    if found := st.session_state.get(FOUND):
        shown = [
            (f.name, dict(zip(("text", "kind"), MARKS[f.state], strict=True)), f"{f.detail} {f.fix}") for f in found
        ]
        frame.show(view.fragment("grid", head=("项目", "结果", "说明"), rows=shown))


def _keep(desk: People) -> None:
    days, how = kept_for(frame.parts())
    with st.form("keep", border=True):
        st.markdown("**到期处理**")
        new = st.number_input("演练保留多少天（0 表示一直保留）", 0, 3650, days, step=30)
        way = st.radio("到期之后", list(HOW), index=list(HOW).index(how), format_func=HOW.__getitem__)
        sent = st.form_submit_button("保存", type="primary")
    if sent:
        attempt(lambda: desk.keep(int(new), str(way)), "已保存。每天第一次有人打开网页时自动处理。")
    if days and st.button("现在就处理到期的"):
        count = desk.sweep()
        st.info(f"处理了 {count} 场。", icon=":material/check:")
    with st.form("forget", border=True):
        st.markdown("**应本人要求删除**")
        users = {u.id: u for u in desk.all()}
        who = st.selectbox("谁", list(users), index=None, placeholder="选一个人",
                           format_func=lambda i: f"{users[i].name}（{users[i].login}）")  # fmt: skip
        way = st.radio("怎么处理", list(HOW), index=1, format_func=HOW.__getitem__, key="forget-how")
        sure = st.checkbox("我知道这不能撤销，账号也会停用")
        sent = st.form_submit_button("处理")
    if sent and not (who and sure):
        st.warning("请先选人，并勾选“我知道这不能撤销”。", icon=":material/info:")
    elif sent:
        attempt(lambda: desk.forget(str(who), str(way)), "已处理。")


def _log(desk: People) -> None:
    find = st.text_input("找", key="find-log", placeholder="姓名、动作或对象，如 观摩")
    found = desk.log(find)
    if not found:
        st.info("没有这样的记录。", icon=":material/info:")
        return
    rows = [(local(a.at), a.name, a.what, a.on, a.detail) for a in found]
    frame.show(view.fragment("grid", head=("时间", "谁", "做了什么", "对象", "细节"), rows=rows,
                             note="最多列最近 200 条。"))  # fmt: skip
