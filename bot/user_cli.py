"""`huasu user`: accounts from the command line, for the first administrator and for when nobody can sign in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from bot.errors import HuasuError
from bot.settings import get_settings

if TYPE_CHECKING:
    from bot.people import People

app = typer.Typer(help="账号：建、重置密码、停用、列出。", no_args_is_help=True)
Login = Annotated[str, typer.Argument(help="登录名，例如工号。")]


class RoleName(StrEnum):
    """The roles as they are typed."""

    LEARNER = "learner"
    TRAINER = "trainer"
    ADMIN = "admin"


@contextmanager
def _people() -> Iterator[People]:
    """The administrator of this machine; known errors end as one line and exit code 1."""
    try:
        from bot.parts import Parts
        from bot.people import CONSOLE, People

        yield People(Parts.open(get_settings()), CONSOLE)
    except HuasuError as error:
        typer.echo(f"错误：{error}", err=True)
        raise typer.Exit(1) from None


@app.command()
def add(
    login: Login,
    name: Annotated[str, typer.Option(help="姓名；省略则用登录名。")] = "",
    role: Annotated[list[RoleName] | None, typer.Option(help="learner / trainer / admin，可以写几个。")] = None,
) -> None:
    """建一个账号，显示第一次登录用的密码（登录后必须换）。"""
    with _people() as people:
        user, password = people.add(login, name or login, [r.value for r in role or [RoleName.LEARNER]])
        typer.echo(f"已建账号 {user.login}（{user.name}）。第一次登录的密码：{password}")


@app.command()
def reset(login: Login) -> None:
    """重置密码，显示新的第一次密码；已登录的会退出。"""
    with _people() as people:
        typer.echo(f"{login} 的新密码：{people.reset(people.find(login).id)}（登录后必须换）")


@app.command()
def disable(login: Login, undo: Annotated[bool, typer.Option("--undo", help="重新启用。")] = False) -> None:
    """停用一个账号（演练记录保留），或用 --undo 重新启用。"""
    with _people() as people:
        people.set_disabled(people.find(login).id, not undo)
        typer.echo(f"已{'启用' if undo else '停用'} {login}。")


@app.command("list")
def list_(as_json: Annotated[bool, typer.Option("--json", help="以 JSON 输出。")] = False) -> None:
    """列出账号。"""
    with _people() as people:
        from bot.people import ROLE_NAMES

        found = people.all()
        if as_json:
            typer.echo(json.dumps([u.model_dump() for u in found], ensure_ascii=False))
            return
        for u in found:
            roles = "、".join(ROLE_NAMES[r] for r in u.roles)
            typer.echo("\t".join((u.login, u.name, roles, *(["已停用"] if u.disabled else []))))
        if not found:
            typer.echo("还没有账号。运行 huasu user add 登录名 --role admin 建一个管理员。")
