"""``traider download alphavantage`` as a trader uses it, before a server on this machine; errors are in ``tests/faults``."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.connectors.alphavantage.local_server import DAILY_LIMIT, KEY, PREMIUM, Answer, Market, Query, said, serving
from traider.cli.main import run
from traider.connectors.alphavantage.read_series import NEW_YORK
from traider.storage.market import read_market_file
from traider.storage.market.downloaded import read_downloaded

TODAY = datetime.now(NEW_YORK).replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0)
MARKET = Market(datetime.fromisoformat("2020-01-02"), TODAY + timedelta(hours=12))


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALPHAVANTAGE_API_KEY", KEY)
    monkeypatch.setenv("ALPHAVANTAGE_REQUESTS_PER_MINUTE", "10000")
    monkeypatch.setenv("TRAIDER_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)


def told(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    *words: str,
    status: int = 0,
    answer: Callable[[Query], Answer | None] = MARKET.answer,
) -> tuple[str, list[dict[str, str]]]:
    """What it prints on stdout where it went well, else the one line on stderr; and what the provider was asked."""
    with serving(answer) as served:
        monkeypatch.setenv("ALPHAVANTAGE_URL", served.url)
        assert run(["download", "alphavantage", *words]) == status
    printed = capsys.readouterr()
    assert KEY not in printed.out + printed.err
    assert len(printed.err.splitlines()) == (status != 0)
    return printed.err if status else printed.out, served.queries


def test_days_are_downloaded_and_backtested(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    out, queries = told(capsys, monkeypatch, "spy", "--from", "2024-01-01", "--to", "2025-01-01")
    assert out.splitlines() == [
        "SPY by 1d of Alpha Vantage, prices as traded",
        "  bars   252",
        "  first  2024-01-02 05:00 UTC",
        "  last   2024-12-31 05:00 UTC",
        "  gaps   none",
        "  file   spy_1d.parquet",
    ]
    assert [query["outputsize"] for query in queries] == ["full"]
    assert read_market_file(Path("spy_1d.parquet")).symbols == ("SPY",)
    assert run(["backtest", "sma_cross", "--data", "spy_1d.parquet", "--quantity", "10", "--size-increment", "1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["events"] == 252


def test_without_dates_it_is_everything_that_is_over(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    out, _ = told(capsys, monkeypatch, "SPY")
    assert "  first  2020-01-02 05:00 UTC\n" in out
    file = read_market_file(Path("spy_1d.parquet"))
    last = datetime.fromtimestamp(int(file.ts_ns[-1]) / 1e9, NEW_YORK).replace(tzinfo=None)
    assert last < TODAY, "today is not over"
    assert "none of them new" in told(capsys, monkeypatch, "SPY")[0]


def test_minutes_over_a_change_of_clocks_grow_month_by_month(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("SPY", "--bars", "5m", "--from", "2025-02-03", "--out", "spy.parquet")
    out, queries = told(capsys, monkeypatch, *words, "--to", "2025-03-08")
    assert "SPY by 5m of Alpha Vantage, prices as traded, 09:30 to 16:00 in New York" in out
    assert [query["month"] for query in queries] == ["2025-02", "2025-03"]
    out, queries = told(capsys, monkeypatch, *words, "--to", "2025-04-01")
    assert [query["month"] for query in queries] == ["2025-03"]
    days = 19 + 21  # without Presidents' Day
    assert f"  bars   {days * 78:,}, {16 * 78} of them new" in out
    assert "gaps   none" in out
    starts = read_market_file(Path("spy.parquet")).ts_ns
    opens = {f"{datetime.fromtimestamp(int(start) / 1e9, NEW_YORK):%H:%M}" for start in starts[::78]}
    assert opens == {"09:30"}


def test_adjusted_prices_are_named_and_not_extended(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("SPY", "--bars", "60m", "--adjusted", "--from", "2025-02-03")
    out, queries = told(capsys, monkeypatch, *words, "--to", "2025-02-10")
    assert "prices adjusted for splits and dividends" in out
    assert "  file   spy_1h_adjusted.parquet" in out
    assert queries[0]["adjusted"] == "true"
    line, _ = told(capsys, monkeypatch, *words, "--to", "2025-02-20", status=2)
    assert "all change with each of these: it can't be extended; --force replaces it" in line
    told(capsys, monkeypatch, *words, "--to", "2025-02-20", "--force")
    line, _ = told(capsys, monkeypatch, *words[:3], "--from", "2025-02-03", "--out", "spy_1h_adjusted.parquet", status=2)
    assert "and SPY by 1h of Alpha Vantage, prices as traded, 09:30 to 16:00 in New York were asked for" in line


def test_where_the_provider_stops_in_the_middle_what_came_is_kept_and_gone_on_from(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A day's questions are not enough for a long span of minutes: without this it could never be downloaded."""
    words = ("SPY", "--bars", "30m", "--from", "2024-01-01", "--to", "2024-06-01")
    left = [3]

    def limited(query: Query) -> Answer:
        left[0] -= 1
        return MARKET.answer(query) if left[0] >= 0 else said("Information", DAILY_LIMIT)

    with serving(limited) as served:
        monkeypatch.setenv("ALPHAVANTAGE_URL", served.url)
        assert run(["download", "alphavantage", *words]) == 1
    printed = capsys.readouterr()
    assert "holds what came until then, up to 2024-04-01 04:00 UTC: the same command goes on from there" in printed.err
    assert "  last   2024-03-28 19:30 UTC" in printed.out, "Good Friday is the 29th"
    holding, _ = read_downloaded(Path("spy_30m.parquet"))
    assert datetime.fromtimestamp(holding.end_ns // 10**9, NEW_YORK).replace(tzinfo=None) == datetime.fromisoformat("2024-04-01")
    before = Path("spy_30m.parquet").read_bytes()
    line, _ = told(capsys, monkeypatch, *words, status=1, answer=lambda _: said("Information", DAILY_LIMIT))
    assert "25 requests per day" in line
    assert Path("spy_30m.parquet").read_bytes() == before
    _, queries = told(capsys, monkeypatch, *words)
    assert [query["month"] for query in queries] == ["2024-04", "2024-05"]
    told(capsys, monkeypatch, *words, "--out", "whole.parquet")
    assert Path("spy_30m.parquet").read_bytes() == Path("whole.parquet").read_bytes()


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["S P Y"], "S P Y is no symbol"),
        (["SPY&apikey=1"], "is no symbol"),
        (["SPY", "--bars", "2m"], "--bars 2m: there are bars of 1m, 5m, 15m, 30m, 1h, 1d"),
        (["SPY", "--extended-hours"], "--extended-hours is of bars of minutes"),
        (["SPY", "--from", "2999-01-01"], "lies in the future"),
        (["SPY", "--from", "2020-01-01", "--to", "2019-01-01"], "--to 2019-01-01 is not after --from 2020-01-01"),
        (["SPY", "--from", f"{TODAY:%Y-%m-%d}"], "is complete yet"),
        (["SPY", "--from", "2025-01-04", "--to", "2025-01-06"], "Alpha Vantage has no bar of SPY from 2025-01-04 05:00 UTC"),
    ],
)
def test_what_is_wrong_is_one_line(
    words: list[str], complaint: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert complaint in told(capsys, monkeypatch, *words, status=2)[0]
    assert list(Path.cwd().glob("*.parquet")) == []


def test_without_a_key_it_says_where_to_put_one(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ALPHAVANTAGE_API_KEY")
    assert run(["download", "alphavantage", "SPY"]) == 2
    assert capsys.readouterr().err == "error: Alpha Vantage answers nobody without a key: set ALPHAVANTAGE_API_KEY to yours\n"


def test_what_the_plan_does_not_have_is_told_as_such(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    line, queries = told(capsys, monkeypatch, "SPY", "--adjusted", status=2, answer=lambda _: said("Information", PREMIUM))
    assert "the key's plan does not have it" in line
    assert queries[0]["function"] == "TIME_SERIES_DAILY_ADJUSTED"
