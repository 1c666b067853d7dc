"""What a trader does with the dashboard, in a real Chromium, against the platform as ``traider up`` starts it."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OURS, enter
from tests.browser.running import PASSWORD, ROOT

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

SOON_MS = 10_000
TRADES_WITHIN_MS = 45_000  # the strategy decides when
MONEY = re.compile(r"\d,?\d{3}\.\d{2}")


def rows(page: Page, table: str) -> Locator:
    """The rows of a table, newest first, without its head."""
    return page.get_by_role("table", name=table).locator("tbody").get_by_role("row")


def panel(page: Page, title: str) -> Locator:
    return page.get_by_role("region", name=title)


def see_the_price_move(page: Page) -> None:
    price = page.get_by_test_id("last-price")
    expect(price).to_have_text(MONEY, timeout=SOON_MS)
    expect(price).not_to_have_text(price.inner_text(), timeout=SOON_MS)


def see_a_fill_appear(page: Page) -> None:
    newest = rows(page, "Fills").first
    expect(newest).to_be_visible(timeout=TRADES_WITHIN_MS)
    expect(newest).not_to_have_text(newest.inner_text(), timeout=TRADES_WITHIN_MS)
    expect(newest).to_contain_text(re.compile(r"(Buy|Sell).*\d\.\d{2}"))


def test_a_wrong_password_is_refused_and_the_right_one_opens_the_dashboard(page: Page) -> None:
    page.goto("/")
    page.wait_for_url("**/login/")
    page.get_by_label("Username").fill("owner")
    page.get_by_label("Password").fill("guess")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert").filter(has_text="wrong username or password")).to_be_visible()
    expect(page.get_by_label("Password")).to_be_focused()
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"//[^/]+/$"))
    expect(page.get_by_test_id("mode-banner")).to_have_text(re.compile("^PAPER"))


def test_the_price_moves_and_a_fill_appears(dashboard: Page) -> None:
    expect(dashboard.get_by_test_id("connection")).to_have_text("Live")
    see_the_price_move(dashboard)
    see_a_fill_appear(dashboard)
    expect(rows(dashboard, "Positions").first).to_contain_text(re.compile("[A-Z]+-[A-Z]+"))
    expect(dashboard.locator("#price canvas").first).to_be_visible()
    expect(dashboard.locator("#equity canvas").first).to_be_visible()
    expect(panel(dashboard, "Risk").get_by_role("meter").first).to_be_visible()


def test_the_kill_switch_stops_trading_and_an_admin_resumes_it_with_a_reason(dashboard: Page) -> None:
    state = dashboard.get_by_test_id("kill-state")
    expect(state).to_have_text(re.compile("Trading"))
    dashboard.get_by_role("button", name="Stop trading").click()
    expect(state).to_have_text(re.compile("Stopped"))
    expect(dashboard.get_by_test_id("kill-banner")).to_contain_text("stopped from the dashboard")
    expect(dashboard.get_by_test_id("kill-banner")).to_contain_text("owner")

    refused = rows(dashboard, "Refused orders").first
    expect(refused).to_contain_text(re.compile("kill switch is on", re.IGNORECASE), timeout=TRADES_WITHIN_MS)

    dashboard.get_by_role("button", name="Resume…").click()
    dialog = dashboard.get_by_role("dialog", name="Resume trading")
    expect(dialog.get_by_role("button", name="Resume trading")).to_be_disabled()
    dialog.get_by_role("textbox").fill("looked at the book, all is well")
    dialog.get_by_role("button", name="Resume trading").click()
    expect(dialog).to_be_hidden()
    expect(state).to_have_text(re.compile("Trading"))
    expect(dashboard.get_by_test_id("kill-banner")).to_be_hidden()
    newest = dashboard.request.get("/api/audit?limit=1").json()[0]
    assert newest["who"] == "owner"
    assert "looked at the book, all is well" in newest["detail"]
    see_a_fill_appear(dashboard)


def test_a_stop_from_elsewhere_shows_at_once(dashboard: Page) -> None:
    expect(dashboard.get_by_test_id("connection")).to_have_text("Live")
    stopped = dashboard.request.post("/api/risk/kill-switch", data={"on": True, "reason": "from the phone"}, headers=OURS)
    assert stopped.ok, stopped.text()
    expect(dashboard.get_by_test_id("kill-banner")).to_contain_text("from the phone")


def test_logout_ends_the_session(dashboard: Page) -> None:
    see_the_price_move(dashboard)
    dashboard.get_by_role("button", name="Log out").click()
    dashboard.wait_for_url("**/login/")
    assert dashboard.request.get("/api/portfolio").status == 401
    dashboard.goto("/")
    dashboard.wait_for_url("**/login/")


def test_without_the_stream_it_polls_and_with_it_it_is_live_again(page: Page) -> None:
    enter(page)
    page.route("**/api/streams/sse", lambda route: route.abort())
    page.goto("/")
    expect(page.get_by_test_id("connection")).to_have_text("Polling")
    see_the_price_move(page)
    page.unroute("**/api/streams/sse")
    expect(page.get_by_test_id("connection")).to_have_text("Live", timeout=SOON_MS)


def test_one_failing_answer_leaves_the_rest_of_the_page_alone(page: Page) -> None:
    enter(page)
    page.route("**/api/fills*", lambda route: route.fulfill(status=503, json={"detail": "the store does not answer"}))
    page.goto("/")
    expect(panel(page, "Fills").get_by_role("alert")).to_contain_text("Fills could not be loaded: the store does not answer.")
    see_the_price_move(page)
    expect(page.get_by_role("main").get_by_role("alert")).to_have_count(1)
    page.unroute("**/api/fills*")
    page.get_by_role("button", name="Try again").click()
    expect(rows(page, "Fills").first).to_be_visible(timeout=TRADES_WITHIN_MS)


def test_the_keyboard_reaches_the_kill_switch_and_the_help(dashboard: Page) -> None:
    expect(dashboard.get_by_role("button", name="Stop trading")).to_be_visible()
    dashboard.keyboard.press("k")
    expect(dashboard.get_by_role("button", name="Stop trading")).to_be_focused()
    dashboard.keyboard.press("?")
    expect(dashboard.get_by_role("dialog", name="Keyboard")).to_be_visible()
    dashboard.keyboard.press("Escape")
    expect(dashboard.get_by_role("dialog", name="Keyboard")).to_be_hidden()
    expect(dashboard.get_by_test_id("kill-state")).to_have_text(re.compile("Trading"))


def test_light_and_dark_are_a_key_apart(dashboard: Page) -> None:
    root = dashboard.locator("html")
    expect(root).to_have_attribute("data-theme", "dark")
    expect(dashboard.locator("#price canvas").first).to_be_visible()
    dashboard.keyboard.press("t")
    expect(root).to_have_attribute("data-theme", "light")
    see_the_price_move(dashboard)
    dashboard.reload()
    expect(root).to_have_attribute("data-theme", "light")
    expect(dashboard.locator("#price canvas").first).to_be_visible()


def test_a_phone_shows_everything_in_its_width(phone: Page) -> None:
    too_wide = """() => [document.documentElement, ...document.querySelectorAll('[role=group]')]
        .filter((element) => element.scrollWidth > element.clientWidth)
        .map((element) => `${element.ariaLabel ?? element.tagName}: ${element.scrollWidth} > ${element.clientWidth}`)"""
    phone.goto("/login/")
    expect(phone.get_by_role("button", name="Log in")).to_be_visible()
    assert phone.evaluate(too_wide) == []
    enter(phone)
    phone.goto("/")
    see_the_price_move(phone)
    expect(rows(phone, "Fills").first).to_be_visible(timeout=TRADES_WITHIN_MS)
    assert phone.evaluate(too_wide) == []
    stop = phone.get_by_role("button", name="Stop trading")
    expect(stop).to_be_in_viewport()
    phone.get_by_role("region", name="System").scroll_into_view_if_needed()
    expect(stop).to_be_in_viewport()


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_nothing_that_axe_knows_of_shuts_anybody_out(dashboard: Page, theme: str) -> None:
    axe = (ROOT / "ui" / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
    see_the_price_move(dashboard)
    if theme == "light":
        dashboard.keyboard.press("t")
    expect(dashboard.locator("html")).to_have_attribute("data-theme", theme)

    def problems() -> list[str]:
        found = dashboard.evaluate("async () => (await axe.run(document)).violations")
        return [f"{problem['id']}: {node['html'][:200]}" for problem in found for node in problem["nodes"]]

    dashboard.evaluate(axe)
    assert problems() == []
    dashboard.get_by_role("button", name="Stop trading").click()
    dashboard.get_by_role("button", name="Resume…").click()
    expect(dashboard.get_by_role("dialog")).to_be_visible()
    assert problems() == []
