"""Load and check ``knowledge/drills/*.yaml``: every question with the case it is asked in.

A wrong file is a `ContentError` naming file, question and fix.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from bot.errors import ContentError, LearnerError
from bot.records import DrillCard, DrillDeck, Scenario
from bot.scenarios import Library, build, load_library, read_yaml


@dataclass(frozen=True)
class Exercise:
    """A question ready to be asked: its card, and the case it is asked in."""

    card: DrillCard
    deck: str
    case: Scenario

    @property
    def id(self) -> str:
        """The card's id."""
        return self.card.id


@dataclass(frozen=True)
class Decks:
    """Every deck by id, and every question by id."""

    decks: dict[str, DrillDeck]
    exercises: dict[str, Exercise]

    def exercise(self, card_id: str) -> Exercise:
        """A question by id. Raises `LearnerError` when there is none."""
        if card_id not in self.exercises:
            raise LearnerError(f"没有编号为 {card_id[:20]} 的快练题，可能已被培训师删去。请换一题。")
        return self.exercises[card_id]


@lru_cache(maxsize=4)
def load_decks(root: Path) -> Decks:
    """Every deck of a content folder, checked against its cases and labels; loaded once per process."""
    library = load_library(root)
    decks: dict[str, DrillDeck] = {}
    exercises: dict[str, Exercise] = {}
    for path in sorted((root / "knowledge" / "drills").glob("*.yaml")):
        deck = build(DrillDeck, read_yaml(path), path)
        if deck.id != path.stem:
            raise ContentError(f"{path.name}：id 是 {deck.id}，与文件名不一致，请改成一样。")
        for card in deck.cards:
            if card.id in exercises:
                raise ContentError(f"{path.name}：编号 {card.id} 重复，请换一个。")
            _check(card, path.name, library)
            exercises[card.id] = Exercise(card, deck.id, as_case(card, library.scenario(card.case)))
        decks[deck.id] = deck
    return Decks(decks, exercises)


def as_case(card: DrillCard, lent: Scenario) -> Scenario:
    """The case a question is asked in: that of the card, with the card's own line and replies laid over it.

    It has no end of its own: one reply is not expected to wind up a talk. A line of its own is a situation of its own: nothing of the case's model replies carries over to it.
    """
    own = bool(card.customer)
    gold = card.gold or ("" if own else lent.exemplary)
    return lent.model_copy(
        update={
            "turns": 0,
            "opening": card.customer or lent.opening,
            "opening_act": card.act or lent.opening_act,
            "channel": card.channel or lent.channel,
            "demand": card.customer or lent.demand,
            "need_business": card.need or lent.need_business,
            "exemplary": gold,
            "exemplary_key": gold,
            "wrong": card.wrong if own or card.wrong else lent.wrong,
            "drills": (),
            "gates": (),
            "note": card.note or lent.note,
        }
    )


def _check(card: DrillCard, file: str, library: Library) -> None:
    def need(ok: bool, message: str) -> None:
        if not ok:
            raise ContentError(f"{file}：{card.id} {message}")

    tax = library.taxonomy
    try:
        lent = library.scenario(card.case)
    except LearnerError:
        raise ContentError(
            f"{file}：{card.id} 的 case {card.case} 不存在，请写已有的场景编号，如 SC13 或 SC39-2。"
        ) from None
    need(not lent.drills, f"的 case {card.case} 是一组题，请写到其中一题，如 {card.case}-1。")
    need(not lent.safety_note, f"的 case {card.case} 会出现轻生的话，不能做快练题，请换一个场景。")
    need(card.act in ("", *tax.customer_acts), f"的 act {card.act} 不认识，请对照 taxonomy.yaml。")
    wild = [c for c in card.trains if c not in tax.techniques]
    need(not wild, f"的 trains 里 {'、'.join(wild)} 不是技巧，请对照 taxonomy.yaml。")
    bad = [w.code for w in card.wrong if w.code not in {*tax.antis, *tax.violations}]
    need(not bad, f"的 wrong 里 {'、'.join(bad)} 不是反模式也不是违规，请对照 taxonomy.yaml。")
    if card.customer:
        need(bool(card.gold), "有自己的 customer，就要有自己的 gold（一句能通过的回应）。")
        need(bool(card.act), "有自己的 customer，就要写 act（客户在做什么）。")
        need(bool(card.wrong), "有自己的 customer，就要有至少一条 wrong（常见的错误回应）。")
