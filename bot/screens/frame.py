"""What every page shares: the parts, the look, getting from page to page, and errors a person can act on."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st
from markupsafe import Markup

from bot import login, people, view
from bot.errors import ForbiddenError, HuasuError
from bot.parts import NothingFound, Parts, shared
from bot.records import LOCAL_ACTOR, Actor, Role, User
from bot.session import Session

log = logging.getLogger("huasu.screens")
ICON = Path(view.__file__).parent / "templates" / "icon.png"
SESSION_KEY, LAST, CALM, TOKEN = "s", "last-session", "low-anxiety", "huasu-login"
_pages: dict[str, Any] = {}
_CHROME = Markup(
    "<style>"
    "#MainMenu,footer,[data-testid='stDecoration'],[data-testid='stStatusWidget']{visibility:hidden}"
    ".block-container{max-width:1180px;padding-top:4.2rem;padding-bottom:5rem}"
    "h1{font-size:1.7rem!important;font-weight:650!important;letter-spacing:.5px}"
    "h2,h3{font-weight:650!important;font-size:1.25rem!important;padding-top:.4rem!important}"
    "[data-testid='stChatInput']>div{background:#fff}"
    # Streamlit's own grey is too pale to read
    "[data-testid='stCaptionContainer'],[data-testid='stCaptionContainer'] *{color:#565d61!important;opacity:1!important}"
    "[data-testid='stLayoutWrapper']:has(>.st-key-help){position:sticky;top:3.6rem;z-index:50}"
    ".st-key-help{background:#faf8f4;padding:.3rem 0}"
    ".st-key-whoami{position:fixed;top:.55rem;right:.9rem;z-index:999991;width:auto!important}"
    ".st-key-whoami button{border:none;background:transparent;padding:.1rem .5rem;min-height:2rem}"
    "[data-testid='stColumn']:has(.hs-side){position:sticky;top:4.2rem;align-self:flex-start}"
    "[data-testid='stCaptionContainer'],[data-testid='stCaptionContainer'] p{color:#5d6468!important;opacity:1}"
    "button[data-variant='segmented_control'][data-selected='true'] p{color:#1d5351}"
    "[data-testid='InputInstructions']{display:none}"  # in English, and the placeholder says it
    # beside a talk: the panel fits the window, the talk grows upwards from the line to type in, as in any chat
    "@media (min-width:641px){[data-testid='stColumn']:has(.hs-side){max-height:calc(100vh - 13.5rem);overflow-y:auto}"
    "[data-testid='stColumn']:has(+ [data-testid='stColumn'] .hs-side){align-self:flex-end}}"
    ".block-container:has(.hs-side){padding-bottom:1rem}"
    # on a phone it stands above the talk, so that his last line stays beside the line to type in
    "@media (max-width:640px){[data-testid='stColumn']:has(.hs-side){order:-1;position:static}}"
    # the upload box speaks English and has no setting for it
    "[data-testid='stFileUploaderDropzoneInstructions']{display:none}"
    "[data-testid='stFileUploaderDropzone']>span button p{font-size:0}"
    "[data-testid='stFileUploaderDropzone']>span button p::after{content:'选择文件';font-size:.95rem}"
    "@media (max-width:640px){.block-container{padding-left:1rem;padding-right:1rem}}"
    "@media (prefers-reduced-motion:reduce){*{animation:none!important;transition:none!important}}"
    "</style>"
)


def parts() -> Parts:
    """The parts of the product, opened once for the whole server."""
    return shared()


def user() -> User | None:
    """Who is signed in with an account; None before that, and always without accounts."""
    p = parts()
    if p.settings.login == "oidc":
        return login.from_outside(p, st.user.to_dict()) if st.user.is_logged_in else None
    return login.who(p, token()) if p.settings.accounts else None


def token() -> str:
    """What this browser holds of a sign-in: from this tab, else from its cookie."""
    return str(st.session_state.get(TOKEN) or st.context.cookies.get(TOKEN, ""))


def actor() -> Actor:
    """Who is at work, asked anew at every use. Raises `ForbiddenError` before he has signed in."""
    if not parts().settings.accounts:
        return LOCAL_ACTOR
    found = user()
    if found is None or found.must_change:
        raise ForbiddenError("请先登录，并把第一次的密码换成自己的。刷新页面就会出现登录框。")
    return found.actor


def owner() -> str:
    """Whose talks this page shows."""
    return actor().id


def require(role: Role) -> Actor:
    """Who is at work, if he has the role. Raises `ForbiddenError` otherwise."""
    found = actor()
    people.require(found, role)
    return found


def low_anxiety() -> bool:
    """Whether this person wants words instead of numbers. Every page asks here before it shows a figure."""
    return parts().preferences.get(owner(), CALM) == "on"


def low_anxiety_toggle() -> None:
    """The switch for `low_anxiety`; it is remembered for this person."""
    key, on = f"{CALM}-switch", low_anxiety()
    if key not in st.session_state:
        st.session_state[key] = on

    def keep() -> None:
        parts().preferences.put(owner(), CALM, "on" if st.session_state[key] else "off")

    st.toggle("少看数字，多看话", key=key, on_change=keep)


def register(**pages: Any) -> None:
    """Tell the frame which page objects to switch between."""
    _pages.update(pages)


def dress() -> None:
    """The style sheet of every page."""
    st.html(_CHROME + view.style())


def show(fragment: Markup) -> None:
    """An already escaped fragment of HTML."""
    st.html(str(fragment))


def go(page: str, session_id: str = "") -> None:
    """Switch to another page; only the session id travels, in the address."""
    if page in _pages:
        st.switch_page(_pages[page], query_params={SESSION_KEY: session_id} if session_id else None)
    st.session_state["went"] = (page, session_id)  # under test there is no navigation
    if session_id:
        st.query_params[SESSION_KEY] = session_id
    st.rerun()


def leave() -> None:
    """Back to the choice of customers, with no talk in hand."""
    st.session_state.pop(LAST, None)
    st.query_params.clear()
    go("choose")


def current() -> Session | None:
    """The session named in the address, if any. Raises `LearnerError` for one that is not this person's."""
    session_id = st.query_params.get(SESSION_KEY, "") or st.session_state.get(LAST, "")
    if not session_id:
        return None
    st.session_state[LAST] = session_id  # the tabs at the top carry no address, so they come back to this talk
    st.query_params[SESSION_KEY] = session_id
    return Session.resume(parts(), session_id, owner())


def guarded(render: Callable[[], None]) -> None:
    """Run a page; a known error is shown as it is, an unknown one is logged and shown without its innards."""
    try:
        render()
    except HuasuError as error:
        st.error(str(error), icon=":material/error:")
        if st.button("回到选场景"):
            leave()
    except Exception as error:  # the learner must never see a traceback; the log keeps it
        if type(error).__module__.startswith("streamlit"):
            raise
        log.exception("page failed")
        st.error(
            "这一页出错了，您写的内容没有丢。请刷新页面；如果还不行，请把时间告诉管理员。", icon=":material/error:"
        )


def nothing_here(message: str) -> None:
    """The empty state of a page that needs a session."""
    st.info(message, icon=":material/forum:")
    if st.button("去选场景", type="primary"):
        go("choose")


def model_note() -> str:
    """Who speaks and who grades, in one line."""
    p = parts()
    voice = f"客户由模型 {p.settings.voice_model} 说话" if p.settings.voice_ready else "客户由内置台词扮演"
    judge = f"评委模型 {p.settings.judge_model} 补充点评" if p.judge else "按规则评分"
    index = "；检索索引不可用，请运行 huasu index --rebuild" if isinstance(p.finder, NothingFound) else ""
    return f"{voice}，{judge}{index}。"
