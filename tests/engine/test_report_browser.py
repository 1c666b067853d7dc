"""The page in a real browser: it draws, zooms, sorts, pages and exports, and asks nobody for anything."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.chromium import DESKTOP, PHONE, Screen, chromium
from tests.engine.reports import DAYS, MINUTES, TRADES, Quoter, Run, run
from traider.engine.round_trips import round_trips
from traider.kernel.simulation import Fees

pytestmark = pytest.mark.browser
DATA = Path(__file__).parents[1] / "data"


@pytest.fixture(scope="module")
def busy() -> Run:
    return run(DATA / MINUTES, fast=2, slow=5, quantity=1.0, fees=Fees(maker=0.0004, taker=0.0006))


@pytest.fixture(scope="module")
def idle() -> Run:
    return run(DATA / DAYS, events=100, fast=500, slow=600, quantity=1.0)


@pytest.fixture(scope="module")
def quoter() -> Run:
    return run(DATA / TRADES, strategy=Quoter, quantity=0.01, fees=Fees(maker=0.0002, taker=0.0005))


# Of module scope, not session: while it is open, no test that has an event loop of its own can run in this process.
@pytest.fixture(scope="module")
def browser(chromium_path: str) -> Iterator[Browser]:
    with chromium(chromium_path) as browser:
        yield browser


@contextmanager
def reading(browser: Browser, path: Path, one: Run, screen: Screen = DESKTOP) -> Iterator[Page]:
    """The page as a reader has it who opens the file; nothing on it may fail, or ask for anything."""
    path.write_text(one.page(), encoding="utf-8")
    context = browser.new_context(timezone_id="America/New_York", locale="de-DE", **screen)
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text))
    page.on("request", lambda request: wrong.append(request.url))
    try:
        page.goto(path.as_uri())
        expect(page.locator("html.ready")).to_be_attached()
        yield page
    finally:
        context.close()
    assert [entry for entry in wrong if entry != path.as_uri() and not entry.startswith(("data:", "blob:"))] == []


def rows(page: Page, which: str) -> list[list[str]]:
    return [row.locator("td").all_inner_texts() for row in page.locator(f"#{which} tbody tr").all()]


def test_lists_show_every_trade(browser: Browser, tmp_path: Path, busy: Run) -> None:
    fills = busy.result.fills
    trips = round_trips(fills, [busy.context.spec.instrument]).trips
    net = trips["pnl"] - trips["fees"]
    with reading(browser, tmp_path / "r.html", busy) as page:
        assert len(rows(page, "trips")) == 25
        expect(page.locator("#trips .rows")).to_have_text(f"1–25 of {len(trips):,} round trips")
        number, side, _, _, _, size, entry, exit_, *_ = rows(page, "trips")[0]
        assert (number, side, size) == ("1", "long", "1")
        assert (entry, exit_) == (f"{trips['entry_price'][0]:,.2f}", f"{trips['exit_price'][0]:,.2f}")
        page.get_by_role("button", name="Net, USD").click()
        assert rows(page, "trips")[0][10] == f"+{net.max():,.2f}"
        page.get_by_role("button", name="Net, USD").click()
        assert rows(page, "trips")[0][10] == f"−{-net.min():,.2f}"
        expect(page.locator("#trips th[aria-sort=ascending]")).to_contain_text("Net, USD")
        page.locator("#trips").get_by_role("button", name="Won").click()
        expect(page.locator("#trips .rows")).to_contain_text(f"of {np.count_nonzero(net > 0):,} round trips")
        page.get_by_role("tab", name="Round trips").press("ArrowRight")
        expect(page.locator("#fills")).to_be_visible()
        expect(page.locator("#trips")).to_be_hidden()
        page.locator("#fills").get_by_role("button", name="Last page").click()
        last = rows(page, "fills")[-1]
        assert (last[0], last[4], last[7]) == (f"{len(fills):,}", f"{fills['price'][-1]:,.2f}", "taker")


@pytest.mark.parametrize("name", ["busy", "quoter"])
def test_export_has_every_digit(name: str, browser: Browser, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    one: Run = request.getfixturevalue(name)
    fills = one.result.fills
    trips = round_trips(fills, [one.context.spec.instrument]).trips
    with reading(browser, tmp_path / "r.html", one) as page:
        tables: dict[str, list[dict[str, str]]] = {}
        for which in ("trips", "fills"):
            page.locator(f"#tab-{which}").click()
            with page.expect_download() as download:
                page.locator(f"#{which}").get_by_role("button", name="Save as CSV").click()
            with download.value.path().open(encoding="utf-8", newline="") as file:
                tables[which] = list(csv.DictReader(file))
    quote = one.context.spec.instrument.quote
    assert [float(row["Price"]) for row in tables["fills"]] == fills["price"].tolist()
    assert [float(row[f"Fee, {quote}"]) for row in tables["fills"]] == fills["fee"].tolist()
    assert [float(row["Size, BTC"]) for row in tables["fills"]] == fills["size"].tolist()
    assert [row["Liquidity"] == "maker" for row in tables["fills"]] == fills["maker"].astype(bool).tolist()
    assert [np.datetime64(row["Time, UTC"][:-1], "us") for row in tables["fills"]] == fills["ts_ns"].astype("M8[ns]").astype(
        "M8[us]"
    ).tolist()
    assert [float(row["Profit"]) for row in tables["trips"]] == trips["pnl"].tolist()
    assert [float(row[f"Net, {quote}"]) for row in tables["trips"]] == (trips["pnl"] - trips["fees"]).tolist()


def test_charts_zoom_by_drag_keys_and_buttons(browser: Browser, tmp_path: Path, busy: Run) -> None:
    everything = "2018-05-03 00:00 – 2018-05-10 00:00 UTC"
    with reading(browser, tmp_path / "r.html", busy) as page:
        shown = page.locator("#shown")
        expect(shown).to_have_text(everything)
        assert "markers" in page.locator("#price .readout").inner_text()
        price = page.locator("#price svg")
        price.scroll_into_view_if_needed()
        box = price.bounding_box()
        assert box is not None
        y = box["y"] + box["height"] / 2
        page.mouse.move(box["x"] + 200, y)
        page.mouse.down()
        page.mouse.move(box["x"] + 320, y, steps=4)
        expect(page.locator(".chosen")).to_have_count(3)
        page.mouse.up()
        zoomed = shown.inner_text()
        assert zoomed != everything
        page.mouse.dblclick(box["x"] + 200, y)
        expect(shown).to_have_text(everything)
        page.locator("#charts").focus()
        page.keyboard.press("+")
        assert shown.inner_text() != everything
        page.keyboard.press("ArrowRight")
        expect(page.locator("#said")).to_contain_text("equity")
        page.keyboard.press("Escape")
        expect(shown).to_have_text(everything)
        page.get_by_role("button", name="Zoom in").click()
        assert shown.inner_text() != everything
        page.get_by_role("button", name="All", exact=True).first.click()
        expect(shown).to_have_text(everything)


def test_cross_hair_reads_exact_values(browser: Browser, tmp_path: Path, busy: Run) -> None:
    result = busy.result
    with reading(browser, tmp_path / "r.html", busy) as page:
        page.locator("#charts").focus()
        page.keyboard.press("End")
        expect(page.locator("#equity .readout")).to_contain_text(f"{result.final_equity:,.2f}")
        page.keyboard.press("Home")
        expect(page.locator("#equity .readout")).to_contain_text(f"{result.cash:,.2f}")
        expect(page.locator("#price .readout")).to_contain_text(f"open {busy.context.candles.open[0]:,.2f}")


def test_a_row_leads_to_its_place_in_the_charts(browser: Browser, tmp_path: Path, busy: Run) -> None:
    trips = round_trips(busy.result.fills, [busy.context.spec.instrument]).trips
    with reading(browser, tmp_path / "r.html", busy) as page:
        page.locator("#trips tbody button").nth(4).click()
        expect(page.locator("#price .readout")).to_contain_text(f"buy 1 at {trips['entry_price'][4]:,.2f}")
        expect(page.locator("#charts")).to_be_focused()


def test_no_trades(browser: Browser, tmp_path: Path, idle: Run) -> None:
    with reading(browser, tmp_path / "r.html", idle) as page:
        expect(page.get_by_text("No trades.")).to_be_visible()
        expect(page.locator("table.lines")).to_have_count(0)
        expect(page.locator("#equity .readout")).to_contain_text("20,000.00")
        assert "NaN" not in page.locator("#charts").inner_html()


@pytest.mark.parametrize("name", ["busy", "idle", "quoter"])
def test_nothing_overflows_on_a_phone(name: str, browser: Browser, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    with reading(browser, tmp_path / "r.html", request.getfixturevalue(name), PHONE) as page:
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert "NaN" not in page.locator("#charts").inner_html()


def test_without_scripts_the_figures_and_pictures_are_there(browser: Browser, tmp_path: Path, busy: Run) -> None:
    path = tmp_path / "r.html"
    path.write_text(busy.page(), encoding="utf-8")
    context = browser.new_context(java_script_enabled=False, **DESKTOP)
    page = context.new_page()
    page.goto(path.as_uri())
    expect(page.locator('[data-figure="net_profit"]').first).to_have_text(f"−{-busy.result.net_profit:,.2f}")
    expect(page.locator("#equity svg.still")).to_be_visible()
    expect(page.locator("noscript p")).to_be_visible()
    expect(page.get_by_role("button")).to_have_count(0)
    context.close()
