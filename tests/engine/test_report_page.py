"""The page says what the result says, loads nothing, lets nothing in, and stays small."""

import json
import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from tests.engine.reports import DAYS, MINUTES, TRADES, Quoter, Run, parsed, run, unpacked, with_fills
from traider.domain.limits import RiskLimits
from traider.domain.vocabulary import Reason
from traider.engine.fills import FILLS
from traider.engine.report import page as report_page
from traider.engine.round_trips import round_trips
from traider.engine.statistics.summary import statistics_of
from traider.kernel.simulation import Fees

DATA = Path(__file__).parents[1] / "data"
EVIL = """x"'><script>alert(1)</script><img src=http://evil.example/x onerror=alert(1)></title></style>&amp;{{ 7*7 }}"""


@pytest.fixture(scope="module")
def days() -> Run:
    return run(DATA / DAYS, fast=10, slow=30, quantity=5.0)


@pytest.fixture(scope="module")
def losing() -> Run:
    limits = RiskLimits(max_daily_loss=Decimal(150))
    return run(DATA / MINUTES, events=3000, limits=limits, fast=20, slow=50, quantity=1.0)


@pytest.fixture(scope="module")
def idle() -> Run:
    return run(DATA / DAYS, events=100, fast=500, slow=600, quantity=1.0)


@pytest.fixture(scope="module")
def quoter() -> Run:
    return run(DATA / TRADES, strategy=Quoter, quantity=0.01, fees=Fees(maker=0.0002, taker=0.0005))


RUNS = ["days", "losing", "idle", "quoter"]


def data_of(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    decoded = json.loads(found[1])
    assert isinstance(decoded, dict)
    return decoded


@pytest.mark.parametrize("name", RUNS)
def test_figures_are_the_results(name: str, request: pytest.FixtureRequest) -> None:
    one: Run = request.getfixturevalue(name)
    result = one.result
    figures = {figure: value for figure, (value, _) in parsed(one.page()).figures.items()}
    assert figures["net_profit"] == result.net_profit
    assert figures["final_equity"] == result.final_equity
    assert figures["return"] == result.net_profit / result.cash
    assert figures["max_drawdown"] == result.max_drawdown
    assert figures["sharpe"] == result.sharpe
    assert figures["fills"] == len(result.fills)
    assert figures["fees"] == result.fees
    assert figures["events"] == result.events
    assert figures["refused"] == sum(result.refusals.values())
    assert figures["cancelled"] == sum(result.cancels.values())
    ledger = round_trips(result.fills, [one.context.spec.instrument])
    net = ledger.trips["pnl"] - ledger.trips["fees"]
    assert figures["round_trips"] == len(net)
    assert figures["win_rate"] == (np.count_nonzero(net > 0) / len(net) if len(net) else None)


def test_figures_read_as_they_are_written(days: Run) -> None:
    figures = {name: text for name, (_, text) in parsed(days.page()).figures.items()}
    result = days.result
    assert figures["net_profit"] == f"+{result.net_profit:,.2f}"
    assert figures["return"] == f"+{result.net_profit / result.cash * 100:,.2f} %"
    assert figures["max_drawdown"] == f"{result.max_drawdown * 100:.2f} %"
    assert figures["sharpe"] == f"{result.sharpe:.2f}"
    assert figures["fees"] == f"{result.fees:,.2f}"
    assert figures["fees_paid"] == f"−{result.fees:,.2f}"


def test_start_to_end_adds_up(quoter: Run) -> None:
    found = parsed(quoter.page())
    figures = {name: value or 0.0 for name, (value, _) in found.figures.items()}
    assert figures["cash"] + figures["realized"] + figures["unrealized"] + figures["fees_paid"] == pytest.approx(figures["final_equity"])
    assert "Still open: long 0.01 BTC" in found.all_text()


def test_months_are_in_the_page(days: Run) -> None:
    months = parsed(days.page()).months
    assert min(months) == "2014-12"
    assert max(months) == "2017-12"
    assert np.prod([1 + value for value in months.values()]) == pytest.approx(days.result.final_equity / days.result.cash)


def test_refusals_and_cancels_are_listed_by_reason(losing: Run, quoter: Run) -> None:
    for one, counts in ((losing, losing.result.refusals), (quoter, quoter.result.cancels)):
        text = parsed(one.page()).texts["dt"]
        assert counts
        assert all(reason.label in text for reason in counts)
    assert losing.result.refusals[Reason.KILL_SWITCH] > 0, "its daily loss limit is reached, which trips the switch"
    assert f"{losing.result.refusals[Reason.KILL_SWITCH]:,}" in parsed(losing.page()).texts["dd"]


def test_what_the_figures_stand_on_is_there(days: Run) -> None:
    text = parsed(days.page("My title")).all_text()
    assert "My title" in text
    for said in (
        days.context.file_name,
        days.context.data_sha256,
        days.result.fills_sha256,
        "run.manifest.json",
        days.context.command_line,
    ):
        assert said in text
    assert "traider 0.1.0" in text
    assert "365" in text
    assert "2014-12-01 00:00 to 2018-01-01 00:00 UTC" in text
    assert "8 gaps in time, 34 bars missing" in text
    assert "Not modelled" in text


def test_no_trades_is_said_and_not_an_empty_table(idle: Run) -> None:
    found = parsed(idle.page())
    text = found.all_text()
    assert "No trades." in text
    assert "No fills." in text
    assert "No order was refused." in text
    assert "No order was cancelled." in text
    assert found.figures["win_rate"] == (None, "–")
    assert found.figures["sharpe"] == (None, "–")
    assert found.figures["net_profit"] == (0.0, "0.00")
    assert "never under water" in text


def test_bought_and_never_sold_is_said(days: Run) -> None:
    held = with_fills(days, days.result.fills[:1])
    assert "No round trip: nothing that was bought has been sold again." in parsed(held.page()).all_text()


@pytest.mark.parametrize("name", RUNS)
def test_page_is_well_formed(name: str, request: pytest.FixtureRequest) -> None:
    one: Run = request.getfixturevalue(name)
    page = one.page()
    assert page.lstrip().startswith("<!doctype html>")
    found = parsed(page)
    assert len(found.ids) == len(set(found.ids))
    for _, attribute, value in found.attributes:
        if attribute in ("aria-labelledby", "aria-controls", "aria-describedby"):
            assert value in found.ids


@pytest.mark.parametrize("name", RUNS)
def test_page_loads_nothing(name: str, request: pytest.FixtureRequest) -> None:
    one: Run = request.getfixturevalue(name)
    page = one.page()
    assert "http://" not in page
    assert "https://" not in page
    assert "@import" not in page
    assert "url(" not in page.replace("url(#", "")  # a reference inside its own picture
    for element, attribute, value in parsed(page).attributes:
        if attribute in ("src", "href", "srcset", "action", "poster", "data"):
            assert (element, attribute, value) == ("link", "href", "data:,")
    assert "default-src 'none'" in page


def test_names_are_text_whatever_is_in_them(days: Run) -> None:
    spec = days.context.spec
    instrument = msgspec.structs.replace(spec.instrument, symbol=EVIL, base=EVIL, quote=EVIL)
    context = replace(
        days.context,
        spec=replace(spec, instrument=instrument, limits=RiskLimits(allowed_markets=(EVIL,))),
        file_name=EVIL,
        data_sha256=EVIL,
        notes={EVIL: EVIL, "price_increment": EVIL},
        versions={EVIL: EVIL, "traider": EVIL},
        command_line=EVIL,
        manifest=EVIL,
    )
    result = replace(days.result, strategy=EVIL, instrument=EVIL, parameters={**days.result.parameters, EVIL: 1.0}, mode=EVIL)
    page = report_page.render(result, title=EVIL, context=context)
    plain, evil = parsed(days.page()), parsed(page)
    assert "<script>alert" not in page
    assert "49" not in evil.texts["title"][0]
    assert evil.texts["title"] == [f"{EVIL} – backtest report"]
    assert evil.texts["h1"] == [EVIL]
    assert {tag for tag, _, _ in evil.attributes} == {tag for tag, _, _ in plain.attributes}
    assert not any(attribute.startswith("on") for _, attribute, _ in evil.attributes)
    assert not any(tag == "img" for tag, _, _ in evil.attributes)
    data = data_of(page)
    assert data["form"]["base"] == data["form"]["quote"] == EVIL


@pytest.mark.parametrize("name", RUNS)
def test_lists_and_curves_are_there_to_the_last_bit(name: str, request: pytest.FixtureRequest) -> None:
    one: Run = request.getfixturevalue(name)
    data = data_of(one.page())
    columns = unpacked(data)
    fills = one.result.fills
    assert (columns["fill.time"] == fills["ts_ns"] // 1000).all()
    for column in ("side", "maker", "price", "size"):
        assert np.array_equal(columns[f"fill.{column}"], fills[column])
    rates = np.where(fills["maker"], data["maker_fee"], data["taker_fee"])
    fees = columns.get("fill.fee", columns["fill.price"] * columns["fill.size"] * rates)
    assert np.array_equal(fees, fills["fee"])
    trips = round_trips(fills, [one.context.spec.instrument]).trips
    for column in ("entry", "exit", "side", "size", "entry_price", "exit_price", "pnl", "fees"):
        assert np.array_equal(columns[f"trip.{column}"], trips[column])
    assert columns["curve.equity"][-1] == one.result.final_equity
    assert len(columns["curve.equity"]) <= 4002
    assert np.array_equal(columns["candle.close"], one.context.candles.close)


def test_fees_that_are_no_product_are_sent_along(days: Run) -> None:
    fills = days.result.fills.copy()
    fills["fee"] += 1e-9
    page = with_fills(days, fills).page()
    assert np.array_equal(unpacked(data_of(page))["fill.fee"], fills["fee"])


def hard_fills(days: Run, rows: int) -> Run:
    """Fills that share next to nothing with their neighbours."""
    rng = np.random.default_rng(7)
    fills = np.zeros(rows, FILLS)
    fills["ts_ns"] = days.context.candles.start_ns + np.cumsum(rng.integers(1, 10**12, rows))
    fills["side"] = np.where(np.arange(rows) % 2, -1, 1)
    fills["size"] = np.repeat(rng.integers(1, 10**9, -(-rows // 2)) / 1e8, 2)[:rows]
    fills["price"] = np.round(40_000 + np.cumsum(rng.normal(0, 20, rows)), 2)
    fills["fee"] = fills["price"] * fills["size"] * 0.001
    return with_fills(days, fills)


def test_sixty_thousand_fills_are_three_megabytes_at_most(days: Run) -> None:
    assert len(hard_fills(days, 60_000).page()) < 3_000_000


def test_of_too_many_fills_the_latest_are_listed_and_all_are_counted(days: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_page, "MOST_ROWS", 99)
    many = hard_fills(days, 251)
    page = many.page()
    columns = unpacked(data_of(page))
    assert np.array_equal(columns["fill.price"], many.result.fills["price"][-99:])
    trips = round_trips(many.result.fills, [days.context.spec.instrument]).trips
    listed = trips[trips["entry"] >= 152]
    assert np.array_equal(columns["trip.entry"] + 152, listed["entry"])
    assert data_of(page)["first_trip"] == len(trips) - len(listed) == 76
    found = parsed(page)
    assert found.figures["fills"][0] == 251
    assert "the latest 99 fills; the 152 before them are counted in every figure" in " ".join(found.texts["p"])


def test_of_several_instruments_each_has_its_row(days: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "By instrument" not in parsed(days.page()).all_text()

    def of_two(*of_run: Any) -> Any:
        statistics = statistics_of(*of_run)
        (one,) = statistics.instruments
        return replace(statistics, instruments=[one, replace(one, symbol="ETH-USD", realized=-12.5, fees=1.25, fills=3, hit_rate=None)])

    monkeypatch.setattr("traider.engine.report.page.statistics_of", of_two)
    page = parsed(days.page())
    words = page.all_text()
    for said in ("By instrument, USD", "ETH-USD", "\u2212", "Hit rate"):
        assert said in words
    assert ("td", "data-value", "-12.5") in page.attributes
    assert ("td", "data-value", "null") in page.attributes
