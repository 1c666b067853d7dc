"""Several files as one stream: which belong behind one another, what is known first, and what is wrong with them together."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.engine.chunks import cut
from traider.domain.errors import DataError, SettingsError
from traider.domain.vocabulary import BAR_MADE, BOOK_END, KIND_BITS, EventKind
from traider.engine.statistics.market import market_of
from traider.engine.stream import whole
from traider.engine.tape import Tape
from traider.kernel.aggregators import DollarBars, TimeBars, VolumeBars
from traider.kernel.ladder import Ladder
from traider.research.bars import bar_maker
from traider.research.inputs import instruments_of, market_data
from traider.research.market import MarketData, checked_file, paths_of, together
from traider.strategies.sma_cross import SmaCross

T = 1_723_161_240_000_000_000  # a whole minute
MINUTE_NS = 60_000_000_000
BAR, TRADE, QUOTE, DEPTH, FUNDING = EventKind.BAR, EventKind.TRADE, EventKind.QUOTE, EventKind.DEPTH, EventKind.FUNDING


def bars(starts: list[int], price: float = 100.0, symbol: str = "BTC-USD") -> dict[str, Any]:
    """Bars that begin at these minutes."""
    count = len(starts)
    return {
        "ts": [T + start * MINUTE_NS for start in starts],
        **{name: [price] * count for name in ("open", "high", "low", "close")},
        "volume": [1.0] * count,
        "symbol": [symbol] * count,
    }


def trades(times: list[int], price: float = 100.0, symbol: str = "BTC-USD") -> dict[str, Any]:
    count = len(times)
    return {"ts": times, "price": [price] * count, "size": [1.0] * count, "side": ["buy"] * count, "symbol": [symbol] * count}


def depth(times: list[int]) -> dict[str, Any]:
    count = len(times)
    side = ["bid", "ask"] * count
    price = [99.0, 101.0] * count
    return {
        "ts": times,
        "side": side[:count],
        "price": price[:count],
        "size": [1.0] * count,
        "is_snapshot": [False] * count,
        "symbol": ["BTC-USD"] * count,
    }


def quotes(times: list[int]) -> dict[str, Any]:
    sizes = {"bid_size": [1.0] * len(times), "ask_size": [1.0] * len(times)}
    return {"ts": times, "bid": [99.0] * len(times), "ask": [101.0] * len(times), **sizes, "symbol": ["BTC-USD"] * len(times)}


def funding(times: list[int]) -> dict[str, Any]:
    return {"ts": times, "rate": [0.0001] * len(times), "symbol": ["BTC-USD"] * len(times)}


def market(*frames: dict[str, Any], bars: str = "") -> MarketData:
    return together([checked_file(pa.table(frame)) for frame in frames], bars=bars)


def order(tape: Tape) -> list[tuple[EventKind, int]]:
    """Kinds and times after T, in minutes or as they are."""
    return [(EventKind(code & KIND_BITS), int(ts) - T) for code, ts in zip(tape.kind.tolist(), tape.ts_ns.tolist(), strict=True)]


def test_of_one_moment_causes_come_before_what_followed_from_them() -> None:
    moment = T + MINUTE_NS
    tape = whole(market(quotes([moment]), depth([moment] * 2), trades([moment]), bars([0, 1]), funding([moment])))
    kinds = [kind for kind, _ in order(tape)]
    assert kinds == [FUNDING, BAR, TRADE, DEPTH, DEPTH, QUOTE, BAR]
    assert tape.ts_ns[1] == T  # the bar that began a minute before, and ends now
    assert [bool(code & BOOK_END) for code in tape.kind.tolist()] == [False, False, False, False, True, False, False]


def test_a_bar_is_known_at_its_end_among_trades() -> None:
    tape = whole(market(bars([0, 1]), trades([T, T + MINUTE_NS - 1, T + MINUTE_NS, T + 3 * MINUTE_NS])))
    assert order(tape) == [(TRADE, 0), (TRADE, MINUTE_NS - 1), (BAR, 0), (TRADE, MINUTE_NS), (BAR, MINUTE_NS), (TRADE, 3 * MINUTE_NS)]


def test_a_long_bar_is_known_behind_the_short_ones_that_it_covers() -> None:
    tape = whole(market(bars([0, 5], symbol="A-USD"), bars(list(range(6)), symbol="B-USD")))
    assert [(int(inst), (int(ts) - T) // MINUTE_NS) for inst, ts in zip(tape.inst, tape.ts_ns, strict=True)] == [
        *[(1, start) for start in range(4)],
        (0, 0),
        (1, 4),
        (1, 5),
        (0, 5),
    ]


def test_one_file_may_hold_bars_of_different_length() -> None:
    rows = sorted((start, "A-USD") for start in (0, 5)) + [(start, "B-USD") for start in range(6)]
    rows.sort()
    frame = bars([start for start, _ in rows])
    frame["symbol"] = [symbol for _, symbol in rows]
    in_one, apart = whole(market(frame)), whole(market(bars([0, 5], symbol="A-USD"), bars(list(range(6)), symbol="B-USD")))
    assert all(np.array_equal(one, two) for one, two in zip(in_one.columns(), apart.columns(), strict=True))


def test_bars_of_one_time_keep_the_order_of_the_instruments() -> None:
    tape = whole(market(bars([0, 1], symbol="B-USD"), bars([0, 1], symbol="A-USD")))
    assert tape.inst.tolist() == [0, 1, 0, 1]
    assert tape.instruments == 2


def test_a_single_bar_among_others_is_refused_because_its_end_is_not_known() -> None:
    with pytest.raises(DataError, match="holds a single bar of an instrument, so that its end is not known; give at least two"):
        market(bars([0]), trades([T]))
    assert len(whole(market(bars([0])))) == 1
    assert len(whole(market(bars([0], symbol="A-USD"), bars([0], symbol="B-USD")))) == 2


def test_files_of_one_kind_and_instrument_follow_one_another_whatever_their_order() -> None:
    tape = whole(market(trades([T + 5, T + 6], 2.0), trades([T, T + 5], 1.0)))
    assert tape.a.tolist() == [1.0, 1.0, 2.0, 2.0]
    assert tape.instruments == 1


@pytest.mark.parametrize(
    ("first", "second", "kind"),
    [
        (trades([T, T + 5]), trades([T + 4]), "trades"),
        (bars([0, 1]), bars([1, 2]), "bars"),
        (trades([T, T + 5]), trades([T + 1, T + 2]), "trades"),
    ],
)
def test_files_that_overlap_are_refused(first: dict[str, Any], second: dict[str, Any], kind: str) -> None:
    with pytest.raises(DataError) as caught:
        market(first, second)
    assert str(caught.value) == (
        f"frame: begins before frame ends, and both hold {kind} of BTC-USD; give each event once, in files that follow one another"
    )


def test_the_finest_increment_of_an_instrument_s_files_holds() -> None:
    assert market(trades([T], 100.5), trades([T + 1], 100.25)).price_increments == (Decimal("0.01"),)


def test_funding_alone_is_no_market() -> None:
    with pytest.raises(DataError, match="of BTC-USD there are funding rates and no prices"):
        market(funding([T]))


def test_instruments_of_two_currencies_are_refused() -> None:
    with pytest.raises(DataError, match="A-USD is quoted in USD and B-EUR in EUR"):
        instruments_of(market(trades([T], symbol="A-USD"), trades([T], symbol="B-EUR")), None)


def test_a_frame_without_a_name_beside_named_ones_is_refused() -> None:
    nameless = trades([T])
    del nameless["symbol"]
    with pytest.raises(DataError, match="frame: its instrument is not known"):
        market(trades([T]), nameless)


def test_a_book_that_is_crossed_after_a_numbered_message_is_told_by_row() -> None:
    crossed = {**depth([T, T, T + 1]), "price": [99.0, 101.0, 102.0], "seq": [1, 1, 2]}
    with pytest.raises(DataError) as caught:
        market(crossed)
    assert str(caught.value).startswith("frame: the book is crossed after row 3 (index 2): bid 102.0, ask 101.0; a message is missing")
    market({**crossed, "seq": [1, 1, 1], "size": [1.0, 0.0, 1.0]})


def test_where_messages_are_not_numbered_crossed_books_are_counted() -> None:
    """A message of several times looks like several there."""
    crossed = {**depth([T, T, T + 1, T + 2]), "price": [99.0, 101.0, 102.0, 101.0], "size": [1.0, 1.0, 1.0, 0.0]}
    assert market(crossed).notes["crossed_books"] == 1
    assert "crossed_books" not in market({**crossed, "ts": [T, T, T + 1, T + 1]}).notes


def test_a_built_in_strategy_refuses_several_instruments() -> None:
    """It would take the prices of both for those of one; so would two files of one instrument whose names don't say so."""
    both = [bars([0, 1], symbol="A-USD"), bars([0, 1], symbol="B-USD")]
    with pytest.raises(DataError, match="the data hold A-USD, B-USD, and strategy sma_cross trades one instrument; give the data of one"):
        market_data(both, strategy=SmaCross, symbol=None, price_increment=None)

    class Pair(SmaCross):
        pass

    assert market_data(both, strategy=Pair, symbol=None, price_increment=None).symbols == ("A-USD", "B-USD")


def test_a_book_is_priced_by_its_middle_until_its_first_trade() -> None:
    """A quiet time has no trade, and another instrument's trades say nothing of this one."""
    book = {**depth([T, T, T + 1]), "price": [99.0, 101.0, 100.0], "kind": ["bid", "ask", "bid"], "side": [None] * 3}
    quiet = market_of(market(book))
    assert (quiet.first_price, quiet.last_price) == (100.0, 100.5)
    beside_another = market_of(market(depth([T, T]), trades([T, T + 1], 7.0, symbol="ETH-USD")))
    assert (beside_another.first_price, beside_another.last_price) == (100.0, 100.0)
    later = {**depth([T + 2, T + 2]), "price": [102.0, 104.0]}
    for at in (1, 2, 3, 4):  # wherever the chunks begin
        traded = market_of(cut(whole(market(depth([T, T]), later, trades([T + 1], 100.5))), [at]))
        assert (traded.first_price, traded.last_price) == (100.0, 100.5)


def test_what_each_file_tells_is_told_of_all() -> None:
    data = market(bars([0, 1, 3]), trades([T, T]))
    assert data.notes == {"bar_interval_ns": MINUTE_NS, "gaps": 1, "bars_missing": 1, "trades_of_one_time": 1}
    assert (data.kind, data.rows, data.kinds) == ("bars and trades", 5, 1 << BAR | 1 << TRADE)
    assert (data.first_ns, data.last_ns) == (T, T + 3 * MINUTE_NS)


def test_folders_and_patterns_stand_for_their_files(tmp_path: Path) -> None:
    for name in ("b.parquet", "a.parquet", "c.txt"):
        (tmp_path / name).touch()
    both = [tmp_path / "a.parquet", tmp_path / "b.parquet"]
    assert paths_of([tmp_path]) == both
    assert paths_of([str(tmp_path / "*.parquet")]) == both
    assert paths_of([tmp_path / "[ab].parquet", tmp_path / "none.parquet"]) == [*both, tmp_path / "none.parquet"]
    with pytest.raises(DataError, match="matches no file"):
        paths_of([tmp_path / "x*.parquet"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="is a folder without Parquet files"):
        paths_of([tmp_path / "empty"])


# --- bars made of trades ---


def test_made_bars_stand_among_the_trades() -> None:
    data = market(trades([T, T + MINUTE_NS - 1, T + MINUTE_NS, T + 5 * MINUTE_NS]), bars="1m")
    tape = whole(data)
    assert order(tape) == [(TRADE, 0), (TRADE, MINUTE_NS - 1), (BAR, 0), (TRADE, MINUTE_NS), (BAR, MINUTE_NS), (TRADE, 5 * MINUTE_NS)]
    assert all(code & BAR_MADE for code in tape.kind.tolist() if code & KIND_BITS == BAR)
    assert (data.rows, data.kinds) == (6, 1 << BAR | 1 << TRADE)


def test_bars_are_made_only_where_there_are_trades_and_no_bars() -> None:
    with pytest.raises(DataError, match="holds quotes, and bars are made of trades; give trades"):
        market(quotes([T]), bars="1m")
    with pytest.raises(DataError, match="holds bars, and others were to be made of trades"):
        market(trades([T]), bars([0, 1]), bars="1m")


def test_bars_are_named_by_what_fills_them() -> None:
    assert [type(bar_maker(text)) for text in ("5s", "1m", "4h", "1d")] == [TimeBars] * 4
    times = [maker for maker in map(bar_maker, ("5s", "1m", "4h", "1d")) if isinstance(maker, TimeBars)]
    assert [maker.span_ns // 1_000_000_000 for maker in times] == [5, 60, 14_400, 86_400]
    volume, worth = bar_maker("volume:0.5"), bar_maker("dollar:1e6")
    assert isinstance(volume, VolumeBars)
    assert volume.size == 0.5
    assert isinstance(worth, DollarBars)
    assert worth.notional == 1e6


@pytest.mark.parametrize("text", ["", "1", "0m", "1w", "volume", "volume:0", "volume:1e", "dollar:-1", "1 m", "dollar:1e999"])
def test_other_bars_are_refused(text: str) -> None:
    with pytest.raises(SettingsError, match=r"--bars is .*; give a time"):
        bar_maker(text, "--bars")


# --- recordings ---


def recorded(data_dir: Path, *names: str) -> MarketData:
    return together([checked_file(data_dir / f"{name}.parquet") for name in names])


def test_the_recorded_book_s_best_prices_are_those_that_the_exchange_told(data_dir: Path) -> None:
    """After each message, against the last quote whose number is not above the message's."""
    name = "binance_usdm_btcusdt_{}_2024-08-08_first"
    tape = whole(recorded(data_dir, f"l2/{name.format('l2')}"))
    seq = pq.read_table(data_dir / "l2" / f"{name.format('l2')}.parquet")["seq"].to_numpy()
    told = pq.read_table(data_dir / "quotes" / f"{name.format('bbo')}.parquet")
    mids = Ladder().mids(tape.kind, tape.a, tape.b, tape.c)
    expected = (told["bid"].to_numpy() + told["ask"].to_numpy()) / 2
    ends = np.flatnonzero(tape.kind & BOOK_END)
    row = np.searchsorted(told["update_id"].to_numpy(), seq[ends], side="right") - 1
    compared = row >= 0
    assert np.count_nonzero(compared) > 100
    assert mids[ends][compared].tolist() == expected[row[compared]].tolist()


def test_recorded_book_trades_and_quotes_are_one_stream(data_dir: Path) -> None:
    name = "binance_usdm_btcusdt_{}_2024-08-08_first"
    data = recorded(data_dir, f"l2/{name.format('l2')}", f"trades/{name.format('trades')}", f"quotes/{name.format('bbo')}")
    tape = whole(data)
    assert (data.symbols, len(tape), tape.kinds) == (("BTC-USDT",), 12_179 + 391 + 1_786, 1 << DEPTH | 1 << TRADE | 1 << QUOTE)
    assert (np.diff(tape.ts_ns) >= 0).all()
    for kind, count in ((DEPTH, 12_179), (TRADE, 391), (QUOTE, 1_786)):
        assert np.count_nonzero(tape.kind & KIND_BITS == kind) == count


def test_the_full_recorded_book_of_coinbase_is_never_crossed(data_dir: Path) -> None:
    data = recorded(data_dir, "l2/coinbase_btcusd_l2_2018-04-24_first")
    assert (data.symbols, data.price_increment, data.rows) == (("BTC-USD",), Decimal("0.01"), 33_819)
