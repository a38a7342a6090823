"""The web app: page set-up, sign-in and navigation. Screens live in bot/screens and call the same core as the CLI."""

import streamlit as st

from bot.screens import (
    admin,
    choose,
    classroom,
    drill,
    entry,
    frame,
    growth,
    knowledge,
    observe,
    quiz,
    report,
    talk,
    workshop,
)

# a file of our own: Streamlit fetches named icons from the internet
st.set_page_config(page_title="化诉 · 柔性催收与投诉处理陪练", page_icon=str(frame.ICON), layout="wide")
may = entry.roles()


def page(render, title, path, needs="learner", **more):
    """A page of the app; without the role it is not in the menu, and says so to whoever types its address."""
    visible = "visible" if needs == "learner" or needs in may else "hidden"
    return st.Page(lambda: frame.guarded(render), title=title, url_path=path, visibility=visible, **more)


CHOOSE = page(choose.render, "选场景", "choose", default=True)
TALK = page(talk.render, "对练", "talk")
REPORT = page(report.render, "报告", "report")
DRILL = page(drill.render, "快练", "drill")
QUIZ = page(quiz.render, "知识测验", "quiz")
GROWTH = page(growth.render, "成长", "growth")
KNOWLEDGE = page(knowledge.render, "知识库", "knowledge")
WORKSHOP = page(workshop.render, "工坊", "workshop", "trainer")
CLASSROOM = page(classroom.render, "班级", "classroom", "trainer")
OBSERVE = page(observe.render, "观摩", "observe", "nobody")
ADMIN = page(admin.render, "管理", "admin", "admin")

frame.register(choose=CHOOSE, talk=TALK, report=REPORT, drill=DRILL, quiz=QUIZ, growth=GROWTH, knowledge=KNOWLEDGE,
               workshop=WORKSHOP, classroom=CLASSROOM, observe=OBSERVE, admin=ADMIN)  # fmt: skip
pages = [CHOOSE, TALK, REPORT, DRILL, QUIZ, GROWTH, KNOWLEDGE, WORKSHOP, CLASSROOM, OBSERVE, ADMIN]
chosen = st.navigation(pages, position="top" if may else "hidden")
frame.dress()
if may:
    entry.badge()
    chosen.run()
else:
    frame.guarded(entry.render)
