"""Takes the pictures of the README anew, of the real platform at work: ``.venv/bin/python -m tests.browser.screenshots``."""

import os
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.browser.chromium import DESKTOP, PHONE, Screen, chromium
from tests.browser.running import PASSWORD, ROOT, running

IMAGES = ROOT / "docs" / "images"
PICTURES = {"dashboard.png": DESKTOP, "dashboard-phone.png": PHONE}
AT_WORK_S = 90  # until there is something to see
OPTIONS = ("--speed", "5", "--seed", "5", "--param", "fast=8", "--param", "slow=34", "--fee-taker", "0.00002")
LIMITS = {
    "ALLOWED_MARKETS": "BTC-USD,ETH-USD",
    "MAX_ORDER_NOTIONAL": "100000",
    "MAX_OPEN_ORDERS": "10",
    "MAX_POSITION_SIZE": "1.5",
    "MAX_DAILY_LOSS": "2500",
    "MAX_DRAWDOWN": "0.05",
    "MAX_ORDERS_PER_MINUTE": "4",
}


def take(browser: Browser, url: str, screen: Screen, to: Path) -> None:
    """One picture of the dashboard, live."""
    context = browser.new_context(base_url=url, locale="en-GB", timezone_id="Europe/Berlin", **screen)
    page = context.new_page()
    page.goto("/login/")
    page.get_by_label("Username").fill("owner")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("connection")).to_have_text("Live")
    position = page.get_by_role("table", name="Positions").locator("tbody").get_by_role("row").first
    expect(position).not_to_contain_text("flat", timeout=60_000)
    page.wait_for_timeout(3_000)
    page.screenshot(path=to)
    context.close()


def main() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "state", OPTIONS, LIMITS) as platform:
        time.sleep(AT_WORK_S)
        with chromium(os.environ.get("CHROMIUM", "/usr/bin/chromium")) as browser:
            for name, screen in PICTURES.items():
                take(browser, platform.url, screen, IMAGES / name)


if __name__ == "__main__":
    main()
