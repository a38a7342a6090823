"""The whole job in a real Chromium: start the app, pick a customer, talk, break a red line, read the report."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from bot.parts import now
from bot.people import CONSOLE, People
from bot.session import Session
from tests.conftest import ROOT
from tests.fakes import make_parts

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--no-first-run"]  # fmt: skip
EMPATHY = "一天八个电话，手机一响心就往下沉，换谁都得急、都得委屈。这口气您先出，我听着。"

pytestmark = pytest.mark.browser
if not CHROMIUM and not os.environ.get("CI"):
    pytestmark = [pytest.mark.browser, pytest.mark.skip(reason="没有装 chromium，浏览器测试在 CI 里必跑")]


@pytest.fixture
def app(tmp_path: Path, free_port: int) -> Iterator[str]:
    env = {**os.environ, "HUASU_DATA_DIR": str(tmp_path / "data")}
    command = [sys.executable, "-m", "bot.cli", "serve", "--port", str(free_port), "--headless"]
    server = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{free_port}"
    try:
        for _ in range(240):
            try:
                with urllib.request.urlopen(f"{url}/_stcore/health", timeout=1):
                    break
            except OSError:
                time.sleep(0.25)
        else:
            raise AssertionError("the app did not start")
        yield url
    finally:
        server.terminate()
        server.wait(10)


@pytest.fixture
def page() -> Iterator[Page]:
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        context = browser.new_context(viewport={"width": 1280, "height": 720}, locale="zh-CN")
        yield context.new_page()
        browser.close()


def say(page: Page, text: str) -> None:
    box = page.get_by_placeholder("回客户一句……")
    expect(box).to_be_enabled(timeout=30_000)
    box.fill(text)
    box.press("Enter")
    expect(page.locator(".bubble.me", has_text=text[:12])).to_be_visible(timeout=30_000)


def test_the_whole_job(app: str, page: Page) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda e: errors.append(str(e)))
    page.on("console", lambda m: errors.append(m.text) if "Content Security Policy" in m.text else None)
    page.goto(app)
    expect(page.get_by_text("有客户在等您")).to_be_visible(timeout=60_000)
    expect(page.locator(".bubble.them").first).to_contain_text("吸血鬼")
    page.get_by_role("button", name="接起电话").click()
    expect(page.get_by_placeholder("回客户一句……")).to_be_visible(timeout=30_000)

    say(page, EMPATHY)
    expect(page.locator(".bubble.them")).to_have_count(2, timeout=30_000)
    expect(page.locator("img.curve")).to_be_visible()

    page.reload()  # nothing said is lost, and the talk goes on where it was
    expect(page.locator(".bubble.them")).to_have_count(2, timeout=60_000)
    say(page, "<script>document.title='hacked'</script>您接着说")
    expect(page.locator(".bubble.them")).to_have_count(3, timeout=30_000)
    assert page.title() != "hacked"

    say(page, "再不还就让公安上门抓你")
    expect(page.locator(".bubble.them")).to_have_count(4, timeout=30_000)
    expect(page.get_by_text("确信度").first).to_be_visible()
    page.get_by_role("button", name="看报告").first.click()
    expect(page.get_by_text("需求冰山")).to_be_visible(timeout=60_000)
    score = page.locator(".score").inner_text()
    assert float(score.split()[0].rstrip("分")) <= 40
    expect(page.locator("mark.bad").first).to_be_visible()
    expect(page.get_by_role("button", name="下载网页版")).to_be_visible()
    assert not errors


@pytest.fixture
def accounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A server with accounts: a learner who has signed in before, and a talk of somebody else."""
    data = tmp_path / "data"
    monkeypatch.setenv("HUASU_LOGIN", "local")
    parts = make_parts(data, ROOT, clock=now)
    desk = People(parts, CONSOLE)
    desk.add("min", "张敏")
    other, _ = desk.add("qiang", "李强")
    first = desk.reset(desk.find("min").id)
    theirs = Session.start(parts, "SC01", owner=other.id)
    theirs.say(EMPATHY)
    theirs.finish()
    parts.database.close()
    return {"password": first, "theirs": theirs.id}


def test_signing_in_and_staying_out_of_other_peoples_rooms(accounts: dict[str, str], app: str, page: Page) -> None:
    page.goto(f"{app}/report?s={accounts['theirs']}")
    expect(page.get_by_label("登录名")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("先跟后带")).to_have_count(0)
    page.get_by_label("登录名").fill("min")
    page.get_by_label("密码", exact=True).fill(accounts["password"])
    page.get_by_role("button", name="登录", exact=True).click()
    page.get_by_label("现在的密码").fill(accounts["password"])
    page.get_by_label("新密码", exact=True).fill("jiaotou-2026")
    page.get_by_label("再输一次新密码").fill("jiaotou-2026")
    page.get_by_role("button", name="换密码").click()
    expect(page.get_by_text("没有找到编号")).to_be_visible(timeout=30_000)

    for path, says in (("classroom", "只对培训师开放"), ("admin", "只对管理员开放"), ("observe", "只对培训师开放"),
                       ("talk", "没有找到编号"), ("report", "没有找到编号")):  # fmt: skip
        page.goto(f"{app}/{path}?s={accounts['theirs']}")  # a new load each time: the cookie carries the sign-in
        expect(page.get_by_text(says)).to_be_visible(timeout=60_000)
        expect(page.get_by_text("李强")).to_have_count(0)
        expect(page.get_by_text("这口气您先出")).to_have_count(0)
    expect(page.get_by_role("link", name="班级")).to_have_count(0)

    stolen = page.context.cookies()
    page.get_by_role("button", name="张敏").click()
    page.get_by_role("button", name="退出登录").click()
    expect(page.get_by_label("登录名")).to_be_visible(timeout=30_000)
    page.context.add_cookies(stolen)  # type: ignore[arg-type]
    page.goto(app)
    expect(page.get_by_label("登录名")).to_be_visible(timeout=60_000)
