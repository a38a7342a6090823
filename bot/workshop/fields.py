"""The fields of a case and of a persona as trainers know them: Chinese names and a line of plain help each."""

from __future__ import annotations

import re
from collections.abc import Mapping

VARIABLE_NAMES = {
    "A": "火气", "G": "委屈", "S": "羞耻感", "X": "焦虑", "T": "信任", "H": "希望", "C": "配合", "D": "执着",
}  # fmt: skip
VARIABLE_HELP = {
    "A": "开口那一刻有多火。85 以上会拍桌子、摔电话；70 左右在质问；50 上下是抱怨。88 起客户没等学员开口就要走。",
    "G": "觉得自己受了多少委屈、没人当回事。越高越要先被听见。",
    "S": "多怕丢面子、怕被当成赖账的人。高的人不肯说真话。",
    "X": "多慌、多急。高的人要一个准日子。",
    "T": "对银行还剩多少信任。低于 35，问什么都不肯说。",
    "H": "觉得事情还有没有办法。低于 35 不会接受任何方案。",
    "C": "愿不愿意一起想办法。",
    "D": "死咬原来的要求有多紧。越高越难谈成。",
}
TRAIT_NAMES = {
    "irritability": "易怒", "suspicion": "戒心", "face": "爱面子", "openness": "肯说心里话", "desperation": "走投无路",
    "legal_savvy": "懂规定", "media_savvy": "会找媒体", "crisis_prone": "可能轻生", "black_agent": "受人指点（代理投诉）",
}  # fmt: skip
TRAIT_HELP = {
    "irritability": "同样一句不中听的话，他冒多大的火。",
    "suspicion": "好话要说几遍他才信。",
    "face": "当众、提熟人、说教时他有多难受。",
    "openness": "信任够了以后，他愿不愿意把隐情讲出来。",
    "desperation": "越高越慌，话里越带绝望。",
    "legal_savvy": "0.7 以上能当场识破不实的说法，会要依据。",
    "media_savvy": "0.5 以上会举手机、扬言曝光。",
    "crisis_prone": "高于 0.3 就可能说出轻生的话：要写开始前的提醒，目标要选“先把人稳住”，并由管理员开放。",
    "black_agent": "0.5 以上，他的提问都在套话，共情打不动他。",
}
SLOT_NAMES = {
    "who": "家里和身边的人", "what": "出了什么事", "when": "时间经过", "where": "在哪里", "why": "为什么偏偏这时候找来",
    "which": "能接受哪种安排", "how": "怎么一步步走到今天", "how_much": "真实的数字", "how_long": "要缓多久",
}  # fmt: skip
SLOT_ASKS = {
    "who": "“家里还有谁？谁在跟您一起扛？”", "what": "“能跟我说说，出了什么事吗？”", "when": "“这是从什么时候开始的？”",
    "where": "“您现在人在哪儿、在哪儿上班？”", "why": "“是什么让您今天决定来找我们？”",
    "which": "“几种办法里，您更能接受哪一种？”", "how": "“这几个月您是怎么撑过来的？”",
    "how_much": "“每个月能稳定拿出多少？”", "how_long": "“大概需要缓多久？”",
}  # fmt: skip
GOAL_NAMES = {
    "accept": "谈成：客户至少愿意试试方案", "hold": "守住：不被套话、不越权承诺", "safe": "稳住：人安全、有人陪",
}  # fmt: skip
ACT_NAMES = {
    "vent": "吐槽：只发泄，不要求什么", "complain": "抱怨：对具体的事质问", "allege": "指控：说银行违规、泄密",
    "demand": "提要求：要免息、退费、停催", "threat": "威胁：要投诉、曝光", "crisis": "危机：说撑不下去了",
    "ask": "询问：问政策、流程", "test": "试探：套话、要承诺",
}  # fmt: skip
SCENARIO = {
    "id": ("编号", "由系统给出，发布后不变。"),
    "title": ("标题", "学员在列表里看到的名字。写情境，不要写出客户藏着的事。"),
    "type": ("类型", "决定评分时各项的比重。"),
    "channel": ("方式", "电话、柜台、来访……带“电话”的，客户的动作神态学员看不到。"),
    "difficulty": ("难度", "1 入门，5 很难。难度要和开场情绪相称。"),
    "stage": ("投诉阶段", "1 萌芽、2 抱怨、3 投诉、4 升级。"),
    "goal": ("怎样算成功", "谈成、守住底线，或先把人稳住。"),
    "audience": ("围观的人", "现场有几层围观的人；学员每做一次“换个安静的地方”就少一层。"),
    "profile": ("客户档案", "学员开始前看得到的那一页。请用化名和虚构的机构。"),
    "profile.name": ("姓名", "请用化名。"),
    "profile.gender": ("性别", ""),
    "profile.age": ("年龄", "18–100。"),
    "profile.job": ("职业", "写到看得出处境，例如“货车司机（近三个月没活）”。"),
    "profile.product": ("业务", "例如：家装分期消费贷。"),
    "profile.balance": ("余额（元）", ""),
    "profile.overdue_days": ("逾期天数", "没有逾期写 0。"),
    "opening": ("客户的第一句话", "原样说出口的话，口语，带情绪。不要带出下面藏着的事实。"),
    "opening_act": ("这句话是在", "客户开口时在做什么。"),
    "demand": ("嘴上的要求", "他挂在嘴边的那一条，学员听得到。"),
    "need_business": ("真正的业务需求", "挖到信任够了才会说。写清他其实想要的安排和数字。"),
    "need_emotional": ("心里的渴望", "他最想听到的那句话，例如“被承认是想还的”。"),
    "facts": ("藏着的事实", "学员问到、而且信任够了才会说。每项写一句客户自己的话。"),
    "fact_levels": ("多难问出来", "1 信任一般就肯说；2 要更信任才说。"),
    "init": ("开场情绪", "客户开口那一刻的心里状态。"),
    "traits": ("性格", "决定同一句话对他的作用有多大。"),
    "triggers": ("一点就炸的话", "给培训师看，一行一条。"),
    "soothers": ("一听就软的话", "给培训师看，一行一条。"),
    "offer": ("可以给的办法", "从政策箱里选。没人能批的不能选。"),
    "cannot": ("给不了的", "一行一条。不能和上面的矛盾。"),
    "success": ("做到什么算好", "一行一条，报告里会列出来。"),
    "wrong": ("典型的错误回答", "一句错的回答，和它错在哪一类。"),
    "exemplary": ("示范：第一句怎么接", "先接住情绪，带上这位客户自己的细节，不解释。"),
    "exemplary_key": ("示范：关键的一句", "说清给不了什么、能给什么、由谁定、多久回话。"),
    "regulations": ("依据", "一行一条。"),
    "safety_note": ("开始前的提醒", "可能出现轻生言语的场景，学员开始前必须看到并确认。"),
    "note": ("备注", "只给培训师看。"),
    "outline_ref": ("课程条目", "自建场景写“自建”。"),
    "lines": ("沿用谁的台词", "没有模型时，客户说这个场景写好的台词；空着只用通用台词。"),
    "reworded": ("改写过的事实", "这些事实改过，客户照新写的说，不用旧台词。"),
    "principles": ("说话的原则", "试聊时点“赞”“不像”积下来的，两种扮演方式都照着做。"),
    "gates": ("五步关口", "只用于五步通关。"),
    "drills": ("快练题", ""),
    "turns": ("几轮结束", "0 表示谈到自然结束。"),
    "present": ("在场的人", "一行一位。"),
    "extra_refs": ("其他课程条目", ""),
    "answers": ("课程问答", "谈话结束后给学员看。"),
}
PERSONA = {
    "id": ("编号", "由系统给出，发布后不变。"),
    "name": ("名字", "例如：暴躁型。"),
    "description": ("一句话介绍", "他是怎样的人，什么路子对他有用。"),
    "traits": ("性格", "盖在场景客户原来的性格上；没有打开的一项照场景的来。"),
    "init_shift": ("开场情绪的增减", "在场景的开场情绪上加减，最多正负 25：人设只改脾气，不改案情。"),
    "audience": ("带来围观的人", "他带来几层围观的人。"),
    "style": ("说话的样子", "一行一条：口头禅、句子长短、称呼。"),
    "suits": ("适合的场景", "每一条都满足的场景才能选用这个人设。"),
    "suits.types": ("只用于这些类型", "空着表示不限。"),
    "suits.not_types": ("不用于这些类型", ""),
    "suits.not_cases": ("不用于这些场景", "写编号。"),
    "suits.jobs": ("职业里要有这些词", "一行一个词，空着表示不限。"),
    "suits.age": ("年龄范围", "最小和最大。"),
    "suits.in_person": ("只用于面对面", "电话里演不出来的打开它。"),
    "principles": ("说话的原则", "试聊时点“赞”“不像”积下来的，两种扮演方式都照着做。"),
    "card": ("角色卡原文", "从角色卡导入的其他内容，只在导出时带回去，不给模型看。"),
}
KINDS = {"scenario": "场景", "persona": "人设"}
STATUS_NAMES = {"draft": "草稿", "published": "已发布", "archived": "已归档"}
_PARTS = {"init": VARIABLE_NAMES, "init_shift": VARIABLE_NAMES, "traits": TRAIT_NAMES, "facts": SLOT_NAMES,
          "fact_levels": SLOT_NAMES}  # fmt: skip
_KEY = re.compile(r"[a-z_]+(?:\.[A-Za-z_]+)?")


def label(kind: str, key: str) -> str:
    """The Chinese name of a field by its key; dotted keys too."""
    names = SCENARIO if kind == "scenario" else PERSONA
    if key in names:
        return names[key][0]
    head, _, tail = key.partition(".")
    if head not in names:
        return key
    inner = _PARTS.get(head, {}).get(tail, tail)
    return f"{names[head][0]}·{inner}" if inner else names[head][0]


def help_of(kind: str, key: str) -> str:
    """What to write in a field, in plain words."""
    return (SCENARIO if kind == "scenario" else PERSONA).get(key, ("", ""))[1]


def in_words(kind: str, message: str, codes: Mapping[str, str]) -> str:
    """A message that speaks of keys and codes, with their Chinese names instead."""
    names = SCENARIO if kind == "scenario" else PERSONA

    def named(match: re.Match[str]) -> str:
        key = match[0]
        return f"“{label(kind, key)}”" if key.partition(".")[0] in names else codes.get(key, key)

    return _KEY.sub(named, message)
