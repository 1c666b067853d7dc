"""Recorded markets: what of a file comes when, and what is made of what it has not."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.connectors.exchange.floor import START_NS
from traider.cli.recordings import read_recording
from traider.connectors.sim.exchange.products import Product, listed
from traider.connectors.sim.exchange.recording import Columns, RecordedMarket, recorded_market
from traider.connectors.sim.exchange.settings import Config
from traider.connectors.sim.exchange.simulator import Setup, Simulator
from traider.connectors.sim.exchange.tape import Message, Word
from traider.connectors.sim.exchange.units import Grid
from traider.domain.errors import DataError

L2 = "l2/coinbase_btcusd_l2_2018-04-16_near4000.parquet"
TRADES = "trades/coinbase_btcusd_trades_2018-04-16.parquet"
S = 10**9


@pytest.fixture
def product() -> Product:
    """In steps of 1 and 0.001."""
    return listed("BTC-USD", Decimal(1), Decimal("0.001"))[0]


def book_file(rows: list[tuple[int, int, float, float, bool, int]]) -> Columns:
    """Of time in seconds, side, price, size, whether it is of a snapshot, number of its message."""
    ts, side, price, size, snapshot, number = (np.array(column) for column in zip(*rows, strict=True))
    changes = number[1:] != number[:-1]
    values = {"ts": ts * S, "side": side, "price": price, "size": size, "trade": np.zeros(len(rows), bool)}
    values |= {"clear": snapshot & np.concatenate(([True], changes)), "end": np.concatenate((changes, [True]))}
    return Columns("l2", "book.parquet", values)


def trades_file(rows: list[tuple[int, int, float, float]]) -> Columns:
    """Of time in seconds, the taker's side, price, size."""
    ts, side, price, size = (np.array(column) for column in zip(*rows, strict=True))
    return Columns("trades", "trades.parquet", {"ts": ts * S, "side": side, "price": price, "size": size})


BOOK = book_file(
    [
        (1, 1, 99.0, 1.0, True, 0),
        (1, -1, 101.0, 2.0, True, 0),
        (3, 1, 99.0, 0.5, False, 1),
        (5, 1, 99.0, 0.0, False, 2),
        (5, 1, 98.0, 1.0, False, 2),
    ]
)


def market(product: Product, *files: Columns, infer: bool = False) -> RecordedMarket:
    return recorded_market(product, list(files), seed=1, depth=5, infer_trades=infer)


def words(messages: Iterator[Message]) -> list[tuple[int, list[str]]]:
    return [(message.ts_ns // S, [row[0].name for row in message.rows]) for message in messages]


def test_a_book_is_told_message_by_message_and_a_snapshot_clears_it_first(product: Product) -> None:
    messages = list(market(product, BOOK).messages())
    assert words(iter(messages)) == [(1, ["CLEAR", "LEVEL", "LEVEL"]), (3, ["LEVEL"]), (5, ["LEVEL", "LEVEL"])]
    assert messages[0].rows[1:] == [(Word.LEVEL, 1, 99, 1000), (Word.LEVEL, -1, 101, 2000)]


def test_trades_come_between_and_before_the_book_of_the_same_moment(product: Product) -> None:
    trades = trades_file([(0, 1, 100.0, 9.0), (2, -1, 99.0, 0.5), (3, -1, 99.0, 0.1), (7, 1, 101.0, 1.0)])
    assert words(market(product, BOOK, trades).messages()) == [
        (1, ["CLEAR", "LEVEL", "LEVEL"]),
        (2, ["TRADE"]),
        (3, ["TRADE"]),
        (3, ["LEVEL"]),
        (5, ["LEVEL", "LEVEL"]),
        (7, ["TRADE"]),
    ]


def test_trades_alone_have_a_book_made_around_them(product: Product) -> None:
    simulator = Simulator(Setup(Config(), virtual_start_ns=START_NS))
    listed_product = simulator.list_product("BTC-USD")
    tape = market(listed_product, trades_file([(0, 1, 8000.0, 0.5), (2, -1, 7999.0, 0.2)]))
    matcher = simulator.exchange.markets["BTC-USD"].matcher
    simulator.play(listed_product, tape)
    assert (matcher.bids.best(), matcher.asks.best()) == (799_999, 800_000)
    simulator.agenda.run_due(START_NS + 2 * S)
    assert (matcher.bids.best(), matcher.asks.best()) == (799_900, 799_901)
    assert [(t.ticks, t.taker_side) for t in simulator.exchange.markets["BTC-USD"].trades] == [(800_000, 1), (799_900, -1)]
    assert 4 <= len(matcher.bids.keys) <= 7


def test_a_price_of_one_increment_has_no_bids_behind_it(product: Product) -> None:
    """Two trades at the smallest price that there is, and one above it: the book around them has no price below one increment."""
    told = list(market(product, trades_file([(1, -1, 1.0, 1.0), (2, -1, 1.0, 1.0), (3, 1, 3.0, 1.0)])).messages())
    assert len(told) == 3
    bids: dict[int, int] = {}
    asks: dict[int, int] = {}
    for message in told:
        for word, side, ticks, lots in message.rows:
            if word is Word.LEVEL:
                (bids if side > 0 else asks)[ticks] = lots
        assert max(ticks for ticks, lots in bids.items() if lots) < min(ticks for ticks, lots in asks.items() if lots)
    assert min(bids) == 1


def test_prices_that_the_increment_would_make_others_of_are_refused(product: Product) -> None:
    with pytest.raises(DataError, match=r"trades.parquet: price 20.3 in row 1 is far from a multiple of the price increment 1; give"):
        market(product, trades_file([(1, -1, 100.4, 1.0), (2, -1, 20.3, 1.0)]))


def test_a_trade_without_a_side_is_a_buy_unless_the_price_fell(product: Product) -> None:
    tape = market(product, trades_file([(0, 0, 100.0, 1.0), (1, 0, 99.0, 1.0), (2, 0, 99.0, 1.0)]))
    assert tape.trades is not None
    assert tape.trades.side.tolist() == [1, -1, 1]


def test_a_bar_is_four_trades_of_a_quarter_of_its_volume(product: Product) -> None:
    values: dict[str, Any] = {
        "ts": np.array([0, 60 * S]),
        "open": np.array([100.0, 105.0]),
        "high": np.array([110.0, 106.0]),
        "low": np.array([95.0, 90.0]),
        "close": np.array([105.0, 91.0]),
        "volume": np.array([4.0, 8.0]),
    }
    tape = market(product, Columns("bars", "bars.parquet", values))
    assert tape.trades is not None
    assert tape.trades.ticks.tolist() == [100, 95, 110, 105, 105, 106, 90, 91]
    assert tape.trades.lots.tolist() == [1000] * 4 + [2000] * 4
    assert (tape.trades.ts_ns // S).tolist() == [0, 15, 30, 45, 60, 75, 90, 105]


def test_of_a_book_alone_a_price_that_the_other_side_has_reached_is_told_as_traded(product: Product) -> None:
    rows = [
        (1, 1, 99.0, 1.0, True, 0),
        (1, 1, 98.0, 3.0, True, 0),
        (1, -1, 101.0, 2.0, True, 0),
        (2, 1, 99.0, 0.0, False, 1),  # gone: cancelled or sold to, a book does not say
        (3, -1, 99.0, 0.7, False, 2),  # the ask stands where the bid stood: it was sold to
    ]
    simulator = Simulator(Setup(Config(), virtual_start_ns=START_NS))
    tape = market(simulator.list_product("BTC-USD", Decimal(1), Decimal("0.001")), book_file(rows), infer=True)
    simulator.play(simulator.exchange.products["BTC-USD"], tape)
    trades = simulator.exchange.markets["BTC-USD"].trades
    simulator.agenda.run_due(START_NS + S)
    assert not trades
    simulator.agenda.run_due(START_NS + 2 * S)
    assert [(t.ticks, t.lots, t.taker_side) for t in trades] == [(99, 1000, -1)]


def test_two_files_of_one_kind_are_refused(product: Product) -> None:
    with pytest.raises(DataError, match="one book and one of trades"):
        market(product, BOOK, BOOK)


def test_a_number_that_is_none_is_refused_by_name_and_row(product: Product) -> None:
    with pytest.raises(DataError, match=r"trades.parquet: price is nan in row 1"):
        market(product, trades_file([(0, 1, 1.0, 1.0), (1, 1, float("nan"), 1.0)]))


class TestPlaying:
    @staticmethod
    def simulator(speed: float, *, once: bool = False) -> Simulator:
        simulator = Simulator(Setup(Config(), speed=speed, once=once, virtual_start_ns=START_NS))
        simulator.play(
            simulator.list_product("BTC-USD", Decimal(1), Decimal("0.001")), market(simulator.exchange.products["BTC-USD"], BOOK)
        )
        return simulator

    async def test_twice_as_fast_takes_half_the_time(self) -> None:
        simulator = self.simulator(2.0)
        player = simulator.players["BTC-USD"]
        await simulator.agenda.advance(0.999)
        assert player.messages == 1
        await simulator.agenda.advance(0.001)
        assert player.messages == 2

    async def test_at_its_end_it_begins_anew_with_its_snapshot(self) -> None:
        simulator = self.simulator(1.0)
        bids = simulator.exchange.markets["BTC-USD"].matcher.bids
        await simulator.agenda.advance(4)
        assert bids.best() == 98
        await simulator.agenda.advance(1)
        assert (bids.best(), bids.shown(99), simulator.players["BTC-USD"].ended) == (99, 1000, False)

    async def test_or_stays_as_it_was(self) -> None:
        simulator = self.simulator(1.0, once=True)
        await simulator.agenda.advance(100)
        assert simulator.players["BTC-USD"].ended
        assert simulator.exchange.markets["BTC-USD"].matcher.bids.best() == 98


def replayed(data_dir: Path, *names: str) -> Simulator:
    """The files played to their end."""
    simulator = Simulator(Setup(Config(), once=True, virtual_start_ns=START_NS))
    listed_product = simulator.list_product("BTC-USD")
    files = [read_recording(data_dir / name, "BTC-USD") for name in names]
    simulator.play(listed_product, recorded_market(listed_product, files, seed=1, depth=5, infer_trades=True))
    while simulator.agenda.run_due(START_NS + 3600 * S):
        pass
    return simulator


def test_the_book_at_the_end_of_a_recording_is_the_recordings(data_dir: Path) -> None:
    simulator = replayed(data_dir, L2)
    book: dict[tuple[str, float], float] = {}
    for row in pq.read_table(data_dir / L2).to_pylist():
        book[row["side"], row["price"]] = row["size"]
    grid = Grid.of(Decimal("0.01"), Decimal("0.00000001"))
    matcher = simulator.exchange.markets["BTC-USD"].matcher
    for side, sign in (("bid", 1), ("ask", -1)):
        wanted = {Decimal(str(price)): Decimal(f"{size:.8f}") for (of, price), size in book.items() if of == side and size}
        ladder = matcher.side(sign)
        assert {Decimal(grid.price(t)): Decimal(grid.size(ladder.shown(t))) for t in ladder.levels()} == wanted
    assert 0 < matcher.bids.best() < matcher.asks.best()


def test_recorded_trades_are_told_as_they_were(data_dir: Path) -> None:
    simulator = replayed(data_dir, L2, TRADES)
    rows = pq.read_table(data_dir / TRADES).to_pylist()
    grid = Grid.of(Decimal("0.01"), Decimal("0.00000001"))
    told = [(grid.price(t.ticks), grid.size(t.lots), t.taker_side) for t in simulator.exchange.markets["BTC-USD"].trades]
    wanted = [(f"{row['price']:.2f}".rstrip("0").rstrip("."), f"{row['size']:.8f}".rstrip("0").rstrip("."), row["side"]) for row in rows]
    assert told == [(price, size, 1 if side == "buy" else -1) for price, size, side in wanted]


def saved(folder: Path, **columns: list[Any]) -> Path:
    path = folder / "btc-usd.parquet"
    pq.write_table(pa.table(columns), path)
    return path


class TestReading:
    def test_each_kind_of_file_is_known_by_its_columns(self, data_dir: Path) -> None:
        names = (L2, TRADES, "bars/coinbase_btcusd_1m_2018-05.parquet", "quotes/binance_usdm_btcusdt_bbo_2024-08-08_first.parquet")
        assert [read_recording(data_dir / name, "BTC-USD").kind for name in names] == ["l2", "trades", "bars", "l2"]

    def test_without_numbers_all_rows_of_one_moment_are_one_message(self, product: Product, tmp_path: Path) -> None:
        path = saved(
            tmp_path,
            ts=[1, 1, 2, 2, 3],
            side=["bid", "ask", "bid", "ask", "ask"],
            price=[99.0, 101.0, 98.0, 102.0, 101.0],
            size=[1.0, 2.0, 3.0, 4.0, 0.0],
            is_snapshot=[True, True, False, False, False],
        )
        messages = list(market(product, read_recording(path, "BTC-USD")).messages())
        assert [(message.ts_ns, [row[0].name for row in message.rows]) for message in messages] == [
            (1, ["CLEAR", "LEVEL", "LEVEL"]),
            (2, ["LEVEL", "LEVEL"]),
            (3, ["LEVEL"]),
        ]

    def test_a_book_that_is_crossed_after_a_message_is_refused(self, tmp_path: Path) -> None:
        path = saved(
            tmp_path,
            ts=[1, 1, 2],
            side=["bid", "ask", "bid"],
            price=[99.0, 101.0, 102.0],
            size=[1.0, 2.0, 3.0],
            is_snapshot=[True, True, False],
            seq=[1, 1, 2],
        )
        with pytest.raises(DataError, match=r"crossed after row 3 .*: bid 102.0, ask 101.0"):
            read_recording(path, "BTC-USD")

    @pytest.mark.parametrize("numbered", [True, False])
    def test_trades_in_the_books_file_keep_their_places(self, product: Product, tmp_path: Path, numbered: bool) -> None:
        columns: dict[str, list[Any]] = {
            "ts": [1, 1, 2, 3, 3, 3, 4],
            "kind": ["bid", "ask", "trade", "trade", "ask", "trade", "trade"],
            "side": [None, None, "sell", "buy", None, None, None],
            "price": [99.0, 101.0, 99.0, 101.0, 101.0, 101.0, 99.0],
            "size": [1.0, 2.0, 0.5, 1.0, 1.0, 0.25, 0.5],
            "is_snapshot": [True, True, False, False, False, False, False],
        }
        path = saved(tmp_path, **columns, **({"seq": [1, 1, 0, 0, 2, 0, 0]} if numbered else {}))
        tape = market(product, read_recording(path, "BTC-USD"), infer=True)
        assert not tape.infers_trades
        rows = [(message.ts_ns, *row) for message in tape.messages() for row in message.rows]
        assert rows == [
            (1, Word.CLEAR, 0, 0, 0),
            (1, Word.LEVEL, 1, 99, 1000),
            (1, Word.LEVEL, -1, 101, 2000),
            (2, Word.TRADE, -1, 99, 500),
            (3, Word.TRADE, 1, 101, 1000),
            (3, Word.LEVEL, -1, 101, 1000),
            (3, Word.TRADE, 1, 101, 250),  # no taker is named, and the price did not fall
            (4, Word.TRADE, -1, 99, 500),  # it fell
        ]
        # Without numbers the book of a moment is whole after its last row only, which is a trade.
        assert [len(message.rows) for message in tape.messages()] == ([3, 1, 1, 1, 1, 1] if numbered else [3, 1, 1, 2, 1])

    def test_quotes_are_a_book_of_one_level_a_side(self, product: Product, tmp_path: Path) -> None:
        quotes = saved(
            tmp_path, ts=[1, 2, 3], bid=[99.0, 99.0, 101.0], bid_size=[1.0, 0.5, 1.0], ask=[101.0, 102.0, 103.0], ask_size=[2.0] * 3
        )
        messages = [message.rows for message in market(product, read_recording(quotes, "BTC-USD")).messages()]
        assert messages == [
            [(Word.CLEAR, 0, 0, 0), (Word.LEVEL, 1, 99, 1000), (Word.LEVEL, -1, 101, 2000)],
            [(Word.LEVEL, -1, 101, 0), (Word.LEVEL, 1, 99, 500), (Word.LEVEL, -1, 102, 2000)],
            [(Word.LEVEL, 1, 99, 0), (Word.LEVEL, -1, 102, 0), (Word.LEVEL, 1, 101, 1000), (Word.LEVEL, -1, 103, 2000)],
        ]

    def test_of_several_instruments_the_products_rows_are_played(self, product: Product, tmp_path: Path) -> None:
        path = saved(
            tmp_path,
            ts=[1, 2, 3],
            price=[9.0, 100.0, 9.0],
            size=[1.0, 2.0, 1.0],
            side=["buy"] * 3,
            symbol=["ETH-USD", "BTC-USD", "ETH-USD"],
        )
        tape = market(product, read_recording(path, "BTC-USD"))
        assert tape.trades is not None
        assert tape.trades.ticks.tolist() == [100]
        with pytest.raises(DataError, match="holds ETH-USD, BTC-USD, not SOL-USD; list one of these"):
            read_recording(path, "SOL-USD")

    def test_trades_are_not_given_twice(self, product: Product, tmp_path: Path) -> None:
        path = saved(
            tmp_path, ts=[1, 2], kind=["bid", "trade"], side=[None, "buy"], price=[9.0] * 2, size=[1.0] * 2, is_snapshot=[True, False]
        )
        with pytest.raises(DataError, match="are in the book's file already"):
            market(product, read_recording(path, "BTC-USD"), trades_file([(0, 1, 9.0, 1.0)]))

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"side": ["bid", "buy"]}, "side.*'bid' or 'ask'"),
            ({"ts": [2, 1]}, "time steps back in row 2"),
            ({"price": [1.0, None]}, "'price' has no value in row 2"),
        ],
    )
    def test_a_book_that_can_not_be_used_is_refused(self, tmp_path: Path, change: dict[str, Any], words: str) -> None:
        good: dict[str, Any] = {
            "ts": [1, 2],
            "side": ["bid", "ask"],
            "price": [1.0, 2.0],
            "size": [1.0, 1.0],
            "is_snapshot": [True, False],
            "seq": [0, 1],
        }
        with pytest.raises(DataError, match=words):
            read_recording(saved(tmp_path, **(good | change)), "BTC-USD")

    def test_funding_rates_are_no_market(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match="funding rates, which make no market"):
            read_recording(saved(tmp_path, ts=[1], rate=[0.0001]), "BTC-USD")

    def test_what_is_no_parquet_file_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "x.parquet").write_text("hello")
        with pytest.raises(DataError, match="is not a Parquet file"):
            read_recording(tmp_path / "x.parquet", "BTC-USD")
