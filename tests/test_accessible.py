"""For everybody: no serious finding of axe on any page, nothing wider than a phone, a whole talk without a mouse."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from bot.parts import Parts
from bot.session import Session
from bot.settings import load_settings
from tests.conftest import ROOT
from tests.test_browser import EMPATHY, app, page, pytestmark, say  # noqa: F401

GRAVE = ("serious", "critical")
WIDEST = "Math.max(...[...document.querySelectorAll('html, [data-testid=stApp], [data-testid=stMainBlockContainer]')].map(e => e.scrollWidth))"


@pytest.fixture
def talks(tmp_path: Path) -> dict[str, str]:
    """Talks of every kind in the app's own database, by the page that shows them."""
    parts = Parts.open(load_settings(data_dir=tmp_path / "data", content_dir=ROOT, _env_file=None))
    talk = Session.start(parts, "SC01")
    talk.hint()
    for line in (EMPATHY, "我保证给您全免，您放心。", "再不还就让公安上门抓你"):
        if not talk.ended:
            talk.say(line)
    talk.finish()
    again = talk.rewind(2)
    again.say("您不是不还，您是想有个喘口气的时间，是不是？")
    again.hint()
    exam, gate = Session.start(parts, "SC01", mode="exam"), Session.start(parts, "SC38", mode="gate")
    exam.say(EMPATHY)
    gate.say(gate.snapshot.scenario.exemplary)
    gate.say("规定就是这样，我们也没办法。")
    parts.database.close()
    return {
        "report": f"report?s={talk.id}", "practice": f"talk?s={again.id}", "exam": f"talk?s={exam.id}",
        "gate": f"talk?s={gate.id}",
    }  # fmt: skip


def settled(page: Page, url: str) -> None:  # noqa: F811
    """The page, drawn to its end."""
    page.goto(url)
    main = page.locator("[data-testid='stMainBlockContainer']")
    expect(main.locator("[data-testid='stElementContainer']:visible").nth(1)).to_be_visible(timeout=90_000)
    expect(page.locator("[data-testid='stApp']")).to_have_attribute(
        "data-test-script-state", "notRunning", timeout=90_000
    )
    expect(page.locator("[data-testid='stSkeleton']")).to_have_count(0, timeout=60_000)


def pages(page: Page, app: str, talks: dict[str, str]) -> dict[str, str]:  # noqa: F811
    """Every page of the navigation, and every kind of talk."""
    settled(page, app)
    links = page.locator("[data-testid='stTopNavLink'], [data-testid='stSidebarNavLink']")
    expect(links.first).to_be_attached(timeout=30_000)
    found = {str(a.get_attribute("href")): str(a.get_attribute("href")) for a in links.all()}
    return {**found, **{name: f"{app}/{path}" for name, path in talks.items()}}


def test_axe_finds_nothing_serious_and_a_phone_is_wide_enough(page: Page, app: str, talks: dict[str, str]) -> None:  # noqa: F811
    axe, grave, wide = Axe(), [], []
    for name, url in pages(page, app, talks).items():
        page.set_viewport_size({"width": 1280, "height": 720})
        settled(page, url)
        for found in axe.run(page).response["violations"]:
            if found["impact"] in GRAVE:
                grave.append((name, found["id"], found["nodes"][0]["html"][:120]))
        page.set_viewport_size({"width": 390, "height": 844})
        page.wait_for_function("document.documentElement.clientWidth === 390")
        if page.evaluate(WIDEST) > 390:
            wide.append(name)
    assert not grave
    assert not wide


def test_a_whole_practice_by_keyboard(page: Page, app: str) -> None:  # noqa: F811
    page.emulate_media(reduced_motion="reduce")
    settled(page, app)
    expect(page.get_by_text("有客户在等您")).to_be_visible(timeout=60_000)
    _press(page, "接起电话")
    box = page.get_by_placeholder("回客户一句……")
    expect(box).to_be_enabled(timeout=60_000)
    assert page.evaluate("getComputedStyle(document.querySelector('.bubble')).animationName") == "none"
    _press(page, "给我一个提示")
    expect(page.get_by_text("先接住这一句")).to_be_visible(timeout=30_000)
    _tab_to(page, "el => el.placeholder === '回客户一句……'")
    page.keyboard.type(EMPATHY)
    page.keyboard.press("Enter")
    expect(page.locator(".bubble.them")).to_have_count(2, timeout=60_000)
    expect(box).to_be_enabled(timeout=60_000)
    _press(page, "结束并看报告")
    expect(page.get_by_text("需求冰山")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("有提示（1 次）").first).to_be_visible()


def _press(page: Page, label: str) -> None:  # noqa: F811
    """Reach a button with Tab and press it."""
    expect(page.get_by_role("button", name=label)).to_be_visible(timeout=60_000)
    _tab_to(page, f"el => el.tagName === 'BUTTON' && el.innerText.includes('{label}')")
    page.keyboard.press("Enter")


def _tab_to(page: Page, wanted: str) -> None:  # noqa: F811
    for _ in range(80):
        if page.evaluate(f"({wanted})(document.activeElement)"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"out of reach of the keyboard: {wanted}")
