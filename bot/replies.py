"""What may be typed as a reply, and what it is turned into before anybody reads it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from difflib import SequenceMatcher

from bot import privacy
from bot.errors import LearnerError

SHORT, ALIKE = 8, 0.92
MASKED = "检测到{kinds}，已自动打码。演练里请不要输入真实的个人信息。"


def accepted(text: str, limit: int, known: Collection[str] = ()) -> tuple[str, tuple[str, ...]]:
    """A reply ready to be answered, and what to tell the learner about it. Raises `LearnerError` saying what to do.

    `known` is what a case itself says of its people: their names are fiction and need no mask.
    """
    reply = cleaned(text)
    if not reply:
        raise LearnerError("还没有写内容。先接住客户的话，写一两句再发送。")
    if len(reply) > limit:
        raise LearnerError(f"这一条有 {len(reply)} 个字，超过了 {limit} 字。对客户说话宜短，请精简后再发送。")
    if not any(ch.isalnum() for ch in reply):
        raise LearnerError("这一条里没有文字，客户听不到表情和符号。请写一句话再发送。")
    masked, kinds = privacy.mask(reply, known)
    return masked, (MASKED.format(kinds="、".join(kinds)),) if kinds else ()


def cleaned(text: str) -> str:
    """Typed text without control and invisible characters, line ends and edges made plain."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    visible = "".join(ch for ch in plain if ch == "\n" or unicodedata.category(ch) not in ("Cc", "Cf", "Cs", "Co"))
    return re.sub(r"\n{3,}", "\n\n", visible).strip()


def same(reply: str, earlier: str) -> bool:
    """Whether a reply only says again what was said before."""
    return abs(len(reply) - len(earlier)) <= SHORT and SequenceMatcher(None, earlier, reply).ratio() >= ALIKE
