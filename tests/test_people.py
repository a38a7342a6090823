"""Accounts: signing in, guessing, first passwords, roles, rosters, retention and the audit log."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot import login, rosters
from bot.errors import ForbiddenError, LearnerError, SetupError
from bot.parts import Parts
from bot.people import ANONYMISE, CONSOLE, DELETE, People, sweep
from bot.records import Actor, User
from bot.session import Session
from bot.settings import check_open, load_settings
from tests.conftest import ROOT
from tests.fakes import make_parts, on_fresh_database

GOOD = "jiaotou-2026"


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = datetime.fromisoformat("2026-01-05T09:00:00+00:00")

    def __call__(self) -> str:
        return self.now.isoformat(timespec="seconds")

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Parts:
    return make_parts(tmp_path_factory.mktemp("opened"), ROOT)


@pytest.fixture
def parts(opened: Parts, clock: Clock, tmp_path: Path) -> Parts:
    return replace(on_fresh_database(opened, tmp_path / "data"), clock=clock)


@pytest.fixture
def desk(parts: Parts) -> People:
    return People(parts, CONSOLE)


def entered(parts: Parts, desk: People, name: str, *roles: str) -> tuple[User, str]:
    """Somebody with an account who has changed his first password, and his token."""
    user, first = desk.add(name, name, roles or ("learner",))  # type: ignore[arg-type]
    token = login.change_password(parts, login.sign_in(parts, name, first), first, GOOD)
    return user, token


def test_the_first_password_lets_in_once_and_must_be_changed(parts: Parts, desk: People) -> None:
    user, first = desk.add("Z001", "张敏")
    token = login.sign_in(parts, " z001 ", first)
    assert (who := login.who(parts, token)) and who.id == user.id and who.must_change
    for bad in (first, "short1", "12345678", "z001-2026"):
        with pytest.raises(LearnerError, match="新密码"):
            login.change_password(parts, token, first, bad)
    fresh = login.change_password(parts, token, first, GOOD)
    assert login.who(parts, token) is None, "the old sign-in ends with the old password"
    assert (again := login.who(parts, fresh)) and not again.must_change
    with pytest.raises(LearnerError, match="不对"):
        login.sign_in(parts, "z001", first)


def test_neither_passwords_nor_tokens_are_kept(parts: Parts, desk: People) -> None:
    _, token = entered(parts, desk, "z001")
    stored = (parts.settings.data_dir / "huasu.db").read_bytes() + b"".join(
        p.read_bytes() for p in parts.settings.data_dir.glob("huasu.db-*")
    )
    assert GOOD.encode() not in stored and token.encode() not in stored and b"$argon2id$" in stored


def test_guessing_is_slowed_for_the_login_even_with_the_right_password(
    parts: Parts, desk: People, clock: Clock
) -> None:
    entered(parts, desk, "z001")
    for _ in range(login.LIMIT):
        with pytest.raises(LearnerError, match="不对"):
            login.sign_in(parts, "z001", "guess-123")
    with pytest.raises(LearnerError, match="太多次"):
        login.sign_in(parts, "z001", GOOD)
    clock.forward(minutes=login.MINUTES + 1)
    assert login.sign_in(parts, "z001", GOOD)


def test_guessing_many_logins_from_one_address_is_slowed(parts: Parts) -> None:
    for n in range(login.ADDRESS_LIMIT):
        parts.users.failed((login.key(f"n{n}"), "address:10.0.0.9"), parts.clock())
    with pytest.raises(LearnerError, match="太多次"):
        login.sign_in(parts, "somebody", "x", "10.0.0.9")


def test_an_unknown_login_says_the_same_as_a_wrong_password(parts: Parts, desk: People) -> None:
    entered(parts, desk, "z001")
    said = []
    for name in ("z001", "nobody"):
        with pytest.raises(LearnerError) as caught:
            login.sign_in(parts, name, "wrong-one-1")
        said.append(str(caught.value))
    assert said[0] == said[1]


def test_a_sign_in_ends_by_time_by_leaving_and_by_locking(parts: Parts, desk: People, clock: Clock) -> None:
    user, token = entered(parts, desk, "z001")
    login.sign_out(parts, token)
    assert login.who(parts, token) is None
    token = login.sign_in(parts, "z001", GOOD)
    clock.forward(hours=parts.settings.login_hours, minutes=1)
    assert login.who(parts, token) is None
    token = login.sign_in(parts, "z001", GOOD)
    desk.set_disabled(user.id, True)
    assert login.who(parts, token) is None
    with pytest.raises(LearnerError, match="停用"):
        login.sign_in(parts, "z001", GOOD)


def test_only_an_administrator_is_let_near_accounts(parts: Parts) -> None:
    for roles in ((), ("learner",), ("learner", "trainer")):
        with pytest.raises(ForbiddenError, match="管理员"):
            People(parts, Actor(id="x", name="甲", roles=roles))


def test_the_last_administrator_can_neither_be_locked_nor_demoted(parts: Parts, desk: People) -> None:
    boss, _ = desk.add("boss", "王主任", ["admin"])
    for deed in (
        lambda: desk.set_disabled(boss.id, True),
        lambda: desk.set_roles(boss.id, ["learner"]),
        lambda: desk.forget(boss.id, DELETE),
    ):
        with pytest.raises(LearnerError, match="最后一个"):
            deed()
    desk.add("boss2", "李主任", ["admin"])
    desk.set_roles(boss.id, ["trainer"])
    assert desk.find("boss").roles == ("trainer",)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "utf-16"])
@pytest.mark.parametrize("mark", [",", "\t", ";"])
def test_a_roster_is_read_as_spreadsheets_write_it(encoding: str, mark: str) -> None:
    text = "\r\n".join(
        mark.join(r) for r in (("工号", "姓名", "班级"), ("1001", "张敏", "一班"), ("1002", "欧阳锋", ""))
    )
    rows = rosters.read(text.encode(encoding), {"1002"}, "二班")
    assert [(r.login, r.name, r.group, r.state) for r in rows] == [
        ("1001", "张敏", "一班", "new"),
        ("1002", "欧阳锋", "二班", "known"),
    ]


def test_a_roster_says_what_is_wrong_with_which_line() -> None:
    rows = rosters.read("姓名,工号\n张敏,1001\n李强,1001\n,1003\n赵磊,a b\n".encode(), set())
    assert [(r.line, r.state) for r in rows] == [(2, "new"), (3, "twice"), (4, "wrong"), (5, "wrong")]
    for data, says in (
        (b"", "空的"),
        (b"PK\x03\x04xx", "不是 CSV"),
        ("名单\n张敏".encode(), "第一行"),
        (b"\xff\xff\xff", "编码"),
    ):
        with pytest.raises(LearnerError, match=says):
            rosters.read(data, set())


def test_taking_in_a_roster_makes_accounts_and_classes_and_changes_nobody(parts: Parts, desk: People) -> None:
    known, _ = entered(parts, desk, "1002")
    rows = rosters.read("工号,姓名,班级\n1001,张敏,一班\n1002,别人,一班\n1001,又来,一班\n".encode(), {"1002"})
    made = desk.take_in(rows)
    assert [u.login for u, _ in made] == ["1001"]
    assert login.sign_in(parts, "1001", made[0][1]) and login.sign_in(parts, "1002", GOOD)
    assert desk.find("1002").name == "1002"
    (group,) = parts.groups.all()
    assert set(parts.groups.members(group.id)) == {made[0][0].id, known.id}


@pytest.mark.parametrize("how", [DELETE, ANONYMISE])
def test_talks_are_kept_no_longer_than_set(parts: Parts, desk: People, clock: Clock, how: str) -> None:
    old = Session.start(parts, "SC01", owner="甲")
    old.say("您先别急，我听着。")
    clock.forward(days=40)
    new = Session.start(parts, "SC01", owner="甲")
    assert sweep(parts) == 0, "kept for ever unless set"
    desk.keep(30, how)
    assert desk.sweep() == 1 and desk.sweep() == 0
    assert [e.id for e in parts.store.history("甲")] == [new.id]
    assert bool(parts.store.turns(old.id)) is (how == ANONYMISE)


def test_a_person_is_forgotten_on_request(parts: Parts, desk: People) -> None:
    user, token = entered(parts, desk, "z001")
    session = Session.start(parts, "SC01", owner=user.id)
    session.say("您先别急，我听着。")
    assert desk.forget(user.id, DELETE) == 1
    assert parts.store.turns(session.id) == () and login.who(parts, token) is None


def test_who_did_what_is_on_record(parts: Parts, desk: People) -> None:
    user, _ = entered(parts, desk, "z001")
    desk.set_roles(user.id, ["trainer"])
    with pytest.raises(LearnerError):
        login.sign_in(parts, "z001", "wrong-one-1")
    assert [a.what for a in desk.log()][:3] == ["登录失败", "改角色", "改密码"]
    assert desk.log("改角色")[0].name == "命令行" and not desk.log("没有这回事")
    assert GOOD not in "".join(str(a) for a in desk.log())


def test_without_accounts_the_server_stays_on_this_machine() -> None:
    for host in ("127.0.0.1", "::1", "localhost"):
        check_open(load_settings(host=host))
    for host in ("0.0.0.0", "10.1.2.3", "bank.example"):
        with pytest.raises(SetupError, match="HUASU_LOGIN"):
            check_open(load_settings(host=host))
        check_open(load_settings(host=host, login="local"))
        check_open(load_settings(host=host, allow_open=True))


def test_the_banks_own_sign_in_brings_roles_along(parts: Parts, desk: People) -> None:
    known = parts.settings.model_copy(update={"login": "oidc", "oidc_trainers": "培训中心, train", "oidc_admins": "it"})
    parts = replace(parts, settings=known)
    claims = {"iss": "https://sso", "sub": "42", "name": "周老师", "roles": ["train"]}
    user = login.from_outside(parts, claims)
    assert user.roles == ("learner", "trainer") and user.name == "周老师"
    assert login.from_outside(parts, claims).id == user.id
    assert login.from_outside(parts, {**claims, "roles": []}).roles == ("learner",), (
        "a role taken away there is gone here"
    )
    assert login.from_outside(parts, {**claims, "iss": "https://other"}).id != user.id
    with pytest.raises(LearnerError):
        login.sign_in(parts, user.login, "")
    desk.set_disabled(user.id, True)
    with pytest.raises(ForbiddenError):
        login.from_outside(parts, claims)
