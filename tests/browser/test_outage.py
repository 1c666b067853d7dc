"""The platform goes away under an open dashboard, and comes back."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.chromium import DESKTOP
from tests.browser.conftest import enter, visiting
from tests.browser.running import running
from tests.browser.test_dashboard import SOON_MS, see_the_price_move

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

RECONNECTS_WITHIN_MS = 20_000


def test_what_is_old_is_marked_and_everything_recovers(browser: Browser, built_dashboard: None, state_dir: Path) -> None:
    with running(state_dir) as platform, visiting(browser, platform.url, DESKTOP) as page:
        enter(page)
        page.goto("/")
        see_the_price_move(page)

        platform.stop()
        expect(page.get_by_test_id("connection")).to_have_text("Offline", timeout=SOON_MS)
        outage = page.get_by_role("alert").filter(has_text="Everything below is as of")
        expect(outage).to_contain_text("No answer from the API.")
        expect(page.locator("#positions")).to_have_attribute("data-stale", "true", timeout=SOON_MS)
        expect(page.locator("#price canvas").first).to_be_visible()
        expect(page.get_by_test_id("mode-banner")).to_have_text(re.compile("^PAPER"))
        page.get_by_role("button", name="Stop trading").click()
        expect(page.get_by_role("alert").filter(has_text="Trading was NOT stopped")).to_be_visible()

        platform.start()
        expect(page.get_by_test_id("connection")).to_have_text("Live", timeout=RECONNECTS_WITHIN_MS)
        expect(outage).to_be_hidden()
        expect(page.locator("[data-stale]")).to_have_count(0, timeout=SOON_MS)
        see_the_price_move(page)
