"""Files from outside, read as data and nothing else: limits first, then the safe parser, then a plain reason.

A file is hostile until it has passed: too big, too deep, built of references that multiply, a zip that unpacks to far
more than it is or wants to write somewhere else, tags that would build objects.
"""

from __future__ import annotations

import io
import json
import re
import stat
import zipfile
from pathlib import PurePosixPath
from typing import Any

import yaml

from bot.errors import LearnerError

MB = 1024 * 1024
TEXT_LIMIT, ZIP_LIMIT, UNPACKED_LIMIT = MB, 5 * MB, 20 * MB
MOST_FILES, MOST_NODES, DEEPEST, RATIO = 200, 50_000, 24, 100
READABLE = (".yaml", ".yml", ".json")
SKIPPED = (".md", ".txt")


class RefusedError(LearnerError):
    """A file that is not taken in; the message says why."""


def text_of(content: bytes, name: str) -> str:
    """The text of a file. Raises `RefusedError` when it is too big or not UTF-8."""
    if len(content) > TEXT_LIMIT:
        raise RefusedError(f"{name} 有 {len(content) / MB:.1f} MB，超过 1 MB。案例和人设用不了这么大，请检查文件。")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise RefusedError(f"{name} 不是 UTF-8 编码的文本。请另存为 UTF-8 再导入。") from None
    if "\x00" in text:
        raise RefusedError(f"{name} 里有二进制内容，不是案例文件。")
    return text


def yaml_of(content: bytes, name: str) -> Any:
    """The value of a YAML file. Raises `RefusedError`."""
    text = text_of(content, name)
    try:
        _examine(text, name)
        return yaml.safe_load(text)
    except yaml.constructor.ConstructorError:
        raise RefusedError(f"{name} 里有会造出程序对象的标签（!!），不接受。请删掉这些标签。") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"第 {mark.line + 1} 行" if mark else "某处"
        raise RefusedError(f"{name} {where}的 YAML 写法有误。请检查缩进、引号和冒号。") from None
    except (ValueError, OverflowError, RecursionError):
        raise RefusedError(f"{name} 里有读不了的数字或日期，请改正后再导入。") from None


def _examine(text: str, name: str) -> None:
    """Count without building anything: references multiply, and depth exhausts the stack."""
    depth = 0
    for nodes, event in enumerate(yaml.parse(text, Loader=yaml.SafeLoader)):
        if isinstance(event, yaml.AliasEvent):
            raise RefusedError(f"{name} 里用了引用（& 和 *），可能越展开越大，不接受。请把内容直接写出来。")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST or nodes > MOST_NODES:
            raise RefusedError(f"{name} 层次太深或内容太多，不是案例文件。")


def json_of(content: bytes, name: str) -> Any:
    """The value of a JSON file. Raises `RefusedError`."""
    text = text_of(content, name)
    if _json_depth(text) > DEEPEST:
        raise RefusedError(f"{name} 层次太深，不是案例文件。")
    try:
        return json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise RefusedError(f"{name} 第 {error.lineno} 行的 JSON 写法有误。") from None
    except (ValueError, RecursionError):
        raise RefusedError(f"{name} 里有读不了的数字，请改正后再导入。") from None


def _json_depth(text: str) -> int:
    depth = deepest = 0
    for ch in re.sub(r'"(?:[^"\\]|\\.)*"', "", text):
        depth += (ch in "[{") - (ch in "]}")
        deepest = max(deepest, depth)
    return deepest


def _no_constant(_: str) -> None:
    raise ValueError


def unzipped(content: bytes, name: str) -> dict[str, bytes]:
    """The readable files of a course pack by name; nothing is written anywhere. Raises `RefusedError`."""
    if len(content) > ZIP_LIMIT:
        raise RefusedError(f"{name} 有 {len(content) / MB:.1f} MB，超过 5 MB。请分成几个小包。")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as pack:
            members = [m for m in pack.infolist() if not m.is_dir()]
            _admit(members, name)
            return {m.filename: _read(pack, m, name) for m in members if _suffix(m) in READABLE}
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, EOFError, RuntimeError, OSError):
        raise RefusedError(f"{name} 打不开：不是完整的 zip，或者加了密码。") from None


def _suffix(member: zipfile.ZipInfo) -> str:
    return PurePosixPath(member.filename).suffix.lower()


def _admit(members: list[zipfile.ZipInfo], name: str) -> None:
    if len(members) > MOST_FILES:
        raise RefusedError(f"{name} 里有 {len(members)} 个文件，超过 {MOST_FILES} 个，不接受。")
    if len({m.filename for m in members}) != len(members):
        raise RefusedError(f"{name} 里有重名的文件，不知道该用哪一个，不接受。")
    if sum(m.file_size for m in members) > UNPACKED_LIMIT:
        raise RefusedError(f"{name} 解开后超过 20 MB，像是压缩炸弹，不接受。")
    for m in members:
        path = PurePosixPath(m.filename)
        if path.is_absolute() or ".." in path.parts or "\\" in m.filename or ":" in m.filename:
            raise RefusedError(f"{name} 里有指向包外面的路径（{m.filename[:60]}），不接受。")
        if stat.S_ISLNK(m.external_attr >> 16):
            raise RefusedError(f"{name} 里有符号链接（{m.filename[:60]}），不接受。")
        if m.flag_bits & 0x1:
            raise RefusedError(f"{name} 加了密码，读不了。请去掉密码再导入。")
        if m.file_size > TEXT_LIMIT or (m.file_size > 10_000 and m.file_size > RATIO * max(1, m.compress_size)):
            raise RefusedError(f"{name} 里的 {m.filename[:60]} 解开后大得不正常，像是压缩炸弹，不接受。")
        if _suffix(m) not in (*READABLE, *SKIPPED):
            raise RefusedError(f"{name} 里有不该有的文件（{m.filename[:60]}）。课程包里只放 yaml、json 和说明文字。")


def _read(pack: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> bytes:
    with pack.open(member) as file:
        content = file.read(TEXT_LIMIT + 1)  # the size in the directory is only what the sender claims
    if len(content) > TEXT_LIMIT:
        raise RefusedError(f"{name} 里的 {member.filename[:60]} 比它自称的大，像是压缩炸弹，不接受。")
    return content
