"""The web app: page set-up and navigation. Screens live in bot/screens and call the same core as the command line."""

import streamlit as st

from bot.screens import choose, drill, frame, growth, knowledge, quiz, report, talk, workshop

# a file of our own: Streamlit fetches named icons from the internet
st.set_page_config(page_title="化诉 · 柔性催收与投诉处理陪练", page_icon=str(frame.ICON), layout="wide")

CHOOSE = st.Page(lambda: frame.guarded(choose.render), title="选场景", url_path="choose", default=True)
TALK = st.Page(lambda: frame.guarded(talk.render), title="对练", url_path="talk")
REPORT = st.Page(lambda: frame.guarded(report.render), title="报告", url_path="report")
DRILL = st.Page(lambda: frame.guarded(drill.render), title="快练", url_path="drill")
QUIZ = st.Page(lambda: frame.guarded(quiz.render), title="知识测验", url_path="quiz")
GROWTH = st.Page(lambda: frame.guarded(growth.render), title="成长", url_path="growth")
KNOWLEDGE = st.Page(lambda: frame.guarded(knowledge.render), title="知识库", url_path="knowledge")
WORKSHOP = st.Page(lambda: frame.guarded(workshop.render), title="工坊", url_path="workshop")

frame.register(choose=CHOOSE, talk=TALK, report=REPORT, drill=DRILL, quiz=QUIZ, growth=GROWTH, knowledge=KNOWLEDGE,
               workshop=WORKSHOP)  # fmt: skip
page = st.navigation([CHOOSE, TALK, REPORT, DRILL, QUIZ, GROWTH, KNOWLEDGE, WORKSHOP], position="top")
frame.dress()
page.run()
