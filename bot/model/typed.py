"""Typed answers: how each kind of endpoint is asked for JSON, and how its answer is read."""

from __future__ import annotations

import json
import re
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ValidationError

T = TypeVar("T", bound=BaseModel)
Mode = Literal["schema", "tools", "json", "text"]
MODES: tuple[Mode, ...] = ("schema", "tools", "json", "text")
TOOL = "answer"


class UnsupportedError(Exception):
    """The endpoint does not know this way of asking."""


def options(kind: type[BaseModel], mode: Mode) -> dict[str, Any]:
    """What to add to a request so that the answer comes back as JSON."""
    schema = kind.model_json_schema()
    if mode == "schema":
        form = {"name": kind.__name__.strip("_"), "schema": schema, "strict": False}
        return _body({"response_format": {"type": "json_schema", "json_schema": form}})
    if mode == "tools":
        tool = {"type": "function", "function": {"name": TOOL, "description": "交回答案", "parameters": schema}}
        return _body({"tools": [tool], "tool_choice": {"type": "function", "function": {"name": TOOL}}})
    return _body({"response_format": {"type": "json_object"}}) if mode == "json" else {}


def _body(fields: dict[str, Any]) -> dict[str, Any]:
    return {"extra_body": fields}


def parse(answer: str, kind: type[T]) -> T:
    """The value in an answer. Raises `ValueError` that says, in Chinese and for the model, what is wrong."""
    found = re.search(r"\{.*\}", answer, re.S)
    if not found:
        raise ValueError("没有完整的 JSON 对象")
    try:
        return kind.model_validate(json.loads(found.group()))
    except json.JSONDecodeError as error:
        raise ValueError(f"第 {error.lineno} 行附近不是合法 JSON") from None
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"{'.'.join(str(p) for p in first['loc'])} 不合格") from None
