"""One platform and one browser per module; a fresh page, and nothing left of the last test, per test."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page, Request

from tests.browser.chromium import DESKTOP, PHONE, Screen, chromium
from tests.browser.running import PASSWORD, Platform, dashboard_is_built, running

OURS = {"X-Requested-With": "traider"}


@pytest.fixture(scope="session")
def built_dashboard() -> None:
    if not dashboard_is_built():
        pytest.fail("the dashboard is not built: run `make ui`, or `make test`, which does it first", pytrace=False)


@pytest.fixture(scope="module")
def platform(built_dashboard: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with running(tmp_path_factory.mktemp("platform") / "state") as platform:
        yield platform


# Of module scope, not session: while it is open, no test that has an event loop of its own can run in this process.
@pytest.fixture(scope="module")
def browser(chromium_path: str) -> Iterator[Browser]:
    with chromium(chromium_path) as browser:
        yield browser


class Visit:
    """A page, and what must not happen on it: an error in a script, a request to anyone but the platform."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self._url = url
        self._wrong: list[str] = []
        self.page: Page = context.new_page()
        self.page.on("pageerror", self._on_error)
        self.page.on("console", self._on_console)
        self.page.on("request", self._on_request)

    def _on_error(self, error: Error) -> None:
        self._wrong.append(f"script error: {error}")

    def _on_console(self, message: ConsoleMessage) -> None:
        # A request that fails is logged by the browser itself; whether it may is each test's matter.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self._wrong.append(f"console: {message.text}")

    def _on_request(self, request: Request) -> None:
        if not request.url.startswith((self._url, "data:", "blob:")):
            self._wrong.append(f"request to {request.url}")

    def check(self) -> None:
        assert self._wrong == []


@contextmanager
def visiting(browser: Browser, url: str, screen: Screen) -> Iterator[Page]:
    """A page of its own, which must have behaved when the block ends."""
    context = browser.new_context(base_url=url, locale="en-GB", timezone_id="Europe/Berlin", **screen)
    visit = Visit(context, url)
    try:
        yield visit.page
    finally:
        context.close()
    visit.check()


@pytest.fixture
def page(browser: Browser, platform: Platform) -> Iterator[Page]:
    """A desktop page of nobody in particular, before its first address."""
    with visiting(browser, platform.url, DESKTOP) as page:
        yield page


@pytest.fixture
def phone(browser: Browser, platform: Platform) -> Iterator[Page]:
    """As ``page``, on a phone."""
    with visiting(browser, platform.url, PHONE) as page:
        yield page


def enter(page: Page) -> None:
    """Logs the owner in without the form, and sees to it that trading is on."""
    answer = page.request.post("/api/auth/login", data={"username": "owner", "password": PASSWORD}, headers=OURS)
    assert answer.ok, answer.text()
    if page.request.get("/api/risk").json()["kill_switch"]:
        resumed = page.request.post("/api/risk/kill-switch", data={"on": False, "reason": "a test begins"}, headers=OURS)
        assert resumed.ok, resumed.text()


@pytest.fixture
def dashboard(page: Page) -> Page:
    """The dashboard, logged in, trading, on a desktop."""
    enter(page)
    page.goto("/")
    return page


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    return tmp_path / "state"
