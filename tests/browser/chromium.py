"""A Chromium that speaks to nobody but us."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypedDict

from playwright.sync_api import Browser, ViewportSize, sync_playwright

QUIET = (
    "--headless=new",
    "--no-sandbox",  # tests may run as root
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
)


class Screen(TypedDict):
    """The arguments of a browser context that make it a kind of device."""

    viewport: ViewportSize
    device_scale_factor: float
    is_mobile: bool
    has_touch: bool


DESKTOP = Screen(viewport=ViewportSize(width=1440, height=900), device_scale_factor=1, is_mobile=False, has_touch=False)
PHONE = Screen(viewport=ViewportSize(width=390, height=844), device_scale_factor=2, is_mobile=True, has_touch=True)


@contextmanager
def chromium(path: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(QUIET))
        try:
            yield browser
        finally:
            browser.close()
