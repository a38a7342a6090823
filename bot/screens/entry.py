"""登录: the door. Who is in sees a small badge with the way out; who is not sees this and nothing else."""

from __future__ import annotations

from contextlib import suppress
from ipaddress import ip_address

import streamlit as st

from bot import login, people, view
from bot.errors import HuasuError
from bot.records import LOCAL_ACTOR, User
from bot.screens import frame, tickets
from bot.settings import check_open

DUE = "cookie-due"


def roles() -> frozenset[str]:
    """What whoever looks at this page may be; nothing before he has signed in. Never raises."""
    try:
        settings = frame.parts().settings
        if not settings.accounts:
            check_open(settings.model_copy(update={"host": st.get_option("server.address") or "0.0.0.0"}))  # noqa: S104
            actor = LOCAL_ACTOR
        else:
            actor = frame.actor()
    except HuasuError:
        return frozenset()
    return frozenset(r for r in ("learner", "trainer", "admin") if r == "learner" or actor.may(r))


def badge() -> None:
    """Who is signed in, his password, and the way out."""
    _cookie()
    with suppress(HuasuError):  # a database that is busy now is not in an hour
        people.sweep_daily(frame.parts())
    user = frame.user()
    if user is None:
        return
    with st.container(key="whoami"), st.popover(user.name, icon=":material/person:"):
        st.caption("、".join(people.ROLE_NAMES[r] for r in user.roles))
        if frame.parts().settings.login == "local" and st.button("改密码", width="stretch"):
            _change(user)
        if st.button("退出登录", width="stretch", icon=":material/logout:"):
            leave()


def leave() -> None:
    """Sign out: here, in the database, and in the browser."""
    if frame.parts().settings.login == "oidc":
        st.logout()
        return
    login.sign_out(frame.parts(), frame.token())
    st.session_state.clear()
    st.session_state[DUE] = ""
    st.query_params.clear()
    st.rerun()


def render() -> None:
    """The page of whoever is not signed in."""
    _cookie()
    settings = frame.parts().settings
    if not settings.accounts:
        check_open(settings.model_copy(update={"host": st.get_option("server.address") or "0.0.0.0"}))  # noqa: S104
    _, middle, _ = st.columns([1, 2, 1])
    with middle:
        frame.show(view.fragment("door"))
        if settings.login == "oidc":
            _outside()
            return
        user = frame.user()
        if user is not None and user.must_change:
            st.info(f"{user.name}，您好。第一次登录，请先把密码换成自己的。", icon=":material/key:")
            _password_form(user)
            if st.button("换个账号登录"):
                leave()
        elif not frame.parts().users.count():
            st.info(
                "还没有账号。请在服务器上运行：huasu user add 登录名 --name 姓名 --role admin", icon=":material/info:"
            )
        else:
            _form()


def _form() -> None:
    with st.form("login", border=True, enter_to_submit=True):
        name = st.text_input("登录名", autocomplete="username", max_chars=80, placeholder="工号")
        password = st.text_input("密码", type="password", autocomplete="current-password", max_chars=200)
        sent = st.form_submit_button("登录", type="primary", width="stretch")
    if not sent:
        return
    if not name.strip() or not password:
        st.warning("登录名和密码都要填。", icon=":material/info:")
        return
    try:
        token = login.sign_in(frame.parts(), name, password, _address())
    except HuasuError as error:
        st.error(str(error), icon=":material/error:")
        return
    _hold(token)


def _outside() -> None:
    try:
        frame.user()  # says why somebody whom the bank vouches for is not let in
    except HuasuError as error:
        st.error(str(error), icon=":material/error:")
        if st.button("退出"):
            st.logout()
        return
    if st.button("用单位账号登录", type="primary", width="stretch"):
        st.login()


@st.dialog("改密码")
def _change(user: User) -> None:
    _password_form(user)


def _password_form(user: User) -> None:
    with st.form("password", border=False):
        st.text_input("登录名", user.login, disabled=True, autocomplete="username")
        old = st.text_input("现在的密码", type="password", autocomplete="current-password")
        new = st.text_input("新密码", type="password", autocomplete="new-password",
                            help="至少 8 个字，字母、数字、符号至少两种。")  # fmt: skip
        again = st.text_input("再输一次新密码", type="password", autocomplete="new-password")
        sent = st.form_submit_button("换密码", type="primary", width="stretch")
    if not sent:
        return
    if new != again:
        st.error("两次输入的新密码不一样。请重新输入。", icon=":material/error:")
        return
    try:
        token = login.change_password(frame.parts(), frame.token(), old, new)
    except HuasuError as error:
        st.error(str(error), icon=":material/error:")
        return
    _hold(token)


def _hold(token: str) -> None:
    st.session_state[frame.TOKEN] = st.session_state[DUE] = token
    st.rerun()


def _cookie() -> None:
    """Have the browser keep the token over a reload, or forget it: it fetches a picture that carries the cookie."""
    value = st.session_state.pop(DUE, None)
    if value is not None:
        frame.show(view.fragment("keep", address=f"{tickets.PATH}?t={tickets.give(value)}"))


def _address() -> str:
    """Where the browser is, as far as it can be told; nothing behind a loopback proxy, where all look alike."""
    found = st.context.ip_address or ""
    try:
        return "" if ip_address(found).is_loopback else found
    except ValueError:
        return ""
