"""One account over the kernel: the engine's record with the functions that change it, for code that is not compiled.

The backtest and the live session hand ``Desk.record`` to a strategy's driver; the guard calls the methods.
"""

import copy
import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Literal, NamedTuple

import numpy as np

from ..domain.errors import DataError, TraiderError, UserError
from ..domain.instruments import Instrument
from ..domain.limits import RiskLimits
from ..domain.vocabulary import FillRule, Reason
from . import desk_entry, entry, layout, orders, portfolio, settle
from .book import FAR_LIMIT, new_books
from .control_desk import Controls
from .order_row import ROW_BYTES, OrderRow, OrderRows
from .simulation import Fees, FillMode, IntrabarPath, LatencyKind, QueueModel, Simulation, SlippageKind

_KINDS: dict[int, Literal["fill", "cancel", "refusal", "funding"]] = {
    layout.FILL: "fill",
    layout.CANCEL: "cancel",
    layout.REFUSAL: "refusal",
    layout.FUNDING: "funding",
}
_MEETS = {layout.QUOTE: layout.BY_QUOTE, layout.DEPTH: layout.BY_BOOK}  # what orders meet once there is such data
_PATHS = {
    IntrabarPath.PESSIMISTIC: layout.PATH_PESSIMISTIC,
    IntrabarPath.HIGH_FIRST: layout.PATH_HIGH_FIRST,
    IntrabarPath.LOW_FIRST: layout.PATH_LOW_FIRST,
    IntrabarPath.NEAREST_FIRST: layout.PATH_NEAREST_FIRST,
}
_QUEUES = {
    QueueModel.RISK_AVERSE: layout.QUEUE_RISK_AVERSE,
    QueueModel.POWER: layout.QUEUE_POWER,
    QueueModel.LOG: layout.QUEUE_LOG,
}
_LATENCIES = {
    LatencyKind.CONSTANT: layout.LATENCY_CONSTANT,
    LatencyKind.LOGNORMAL: layout.LATENCY_LOGNORMAL,
    LatencyKind.RECORDED: layout.LATENCY_RECORDED,
}
_SLIPPAGES = {
    SlippageKind.NONE: layout.SLIPPAGE_NONE,
    SlippageKind.TICKS: layout.SLIPPAGE_TICKS,
    SlippageKind.FRACTION: layout.SLIPPAGE_FRACTION,
    SlippageKind.VOLUME_SHARE: layout.SLIPPAGE_VOLUME_SHARE,
}

_FIELDS: Any = layout.DESK.fields
_CONTROLS_AT = int(_FIELDS["controls"][1])
_ACCOUNT_FIELDS: Any = layout.ACCOUNT.fields

# places of the account's fields among the record's words of 64 bits
_NOW, _EXECUTIONS, _OPEN_ORDERS, _NEXT_REF = (
    (int(_FIELDS["account"][1]) + int(_ACCOUNT_FIELDS[name][1])) // 8 for name in ("now_ns", "executions", "open_orders", "next_ref")
)

# limits that turn the kill switch on
_TRIPPING = (
    *("max_daily_loss", "max_drawdown"),
    *("max_rejections_in_a_row", "max_rejections_per_minute", "max_executions_per_minute"),
)


class Execution(NamedTuple):
    """Something that happened to an order, in the order in which it happened. ``size`` of a funding is the position's."""

    kind: Literal["fill", "cancel", "refusal", "funding"]
    order_id: int
    ref: int
    inst: int
    side: int
    price: float
    size: float
    fee: float
    maker: bool
    reason: Reason
    ts_ns: int
    rule: FillRule = FillRule.NONE


class Desk:
    """An account with its positions, open orders, limits and, in simulation, the venue's matching.

    Instruments are numbered in the order in which they are given. Money is in the instruments' common quote currency.
    With ``trips`` a loss limit that is reached, or a halt of the controls, turns the kill switch on, as the guard does.
    """

    def __init__(
        self,
        instruments: Sequence[Instrument],
        *,
        cash: float,
        limits: RiskLimits | None = None,
        fees: Fees | None = None,
        fill: FillMode = FillMode.NEXT_OPEN,
        simulation: Simulation | None = None,
        remote: bool = False,
        trips: bool = False,
    ) -> None:
        if not 0 < len(instruments) <= layout.MAX_INSTRUMENTS:
            raise TraiderError(f"an account trades 1 to {layout.MAX_INSTRUMENTS} instruments, not {len(instruments)}")
        self.instruments = tuple(instruments)
        self._hold(np.zeros(1, layout.DESK))
        self.books: np.ndarray[Any, np.dtype[np.void]] | None = None
        account = self.account
        account["cash"] = account["equity"] = account["high_water_mark"] = account["day_start_equity"] = cash
        account["venue"] = layout.REMOTE if remote else layout.SIMULATED
        account["instruments"] = len(instruments)
        account["margined"] = sum(instrument.initial_margin > 0 for instrument in instruments)
        account["curve_low"] = cash
        account["due_ns"] = account["timer_ns"] = layout.NEVER_NS
        account["ask_below"] = math.inf
        self.record["timers"] = layout.NEVER_NS
        self._set_fees(fees or Fees())
        self._set_simulation(simulation or Simulation(), fill)
        for number, instrument in enumerate(instruments):
            self._set_instrument(number, instrument)
        # a remote desk mirrors an account whose orders are checked elsewhere
        self.controls = None if remote else Controls(RiskLimits(), self.record["controls"])
        self.set_limits(limits or RiskLimits())
        account["trips"] = int(trips and any(getattr(self.limits, name) is not None for name in _TRIPPING))

    def _hold(self, records: np.ndarray[Any, np.dtype[np.void]]) -> None:
        self.records = records
        self.record: Any = records[0]
        self.address = int(records.ctypes.data)
        words: Any = records.view(np.int64)
        self._words = memoryview(words)  # a tenth of the time that numpy takes to find a field
        self.account: Any = self.record["account"]
        self.positions: Any = self.record["positions"]
        self._row = OrderRow()

    def twin(self) -> "Desk":
        """Another account like this one, to which nothing has happened yet: quicker than making one from its settings."""
        other = copy.copy(self)
        other._hold(np.zeros(1, layout.DESK))
        mine, theirs = self.records.view(np.uint8), other.records.view(np.uint8)
        for part in _SET_UP:  # the rest is zeros, which stay untouched: they are most of the bytes
            theirs[part] = mine[part]
        if self.controls is not None:
            other.controls = self.controls.moved(other.record["controls"])
        other.books, other.account["books_at"] = None, 0
        return other

    def _set_fees(self, fees: Fees) -> None:
        account, settings = self.account, self.record["settings"]
        account["maker_fee"] = settings["base_maker_fee"] = fees.maker
        account["taker_fee"] = settings["base_taker_fee"] = fees.taker
        settings["tiers"] = len(fees.tiers)
        for row, tier in zip(settings["fee_tiers"], fees.tiers, strict=False):
            row["volume"], row["maker"], row["taker"] = tier.volume, tier.maker, tier.taker

    def _set_simulation(self, simulation: Simulation, fill: FillMode) -> None:
        self.simulation = simulation
        settings, latency = self.record["settings"], simulation.latency
        settings["fill_mode"] = int(fill)
        settings["path"] = _PATHS[simulation.path]
        settings["participation"] = math.inf if simulation.participation is None else simulation.participation
        settings["queue_model"], settings["queue_power"] = _QUEUES[simulation.queue], simulation.queue_power
        settings["partial_fills"] = int(simulation.partial_fills)
        settings["latency"] = int(not latency.is_zero)
        settings["latency_kind"] = _LATENCIES[latency.kind]
        settings["latency_out_ns"], settings["latency_back_ns"] = latency.out_ns, latency.back_ns
        settings["latency_sigma"] = latency.sigma
        self._latencies = np.array(latency.series, np.int64).reshape(-1, 3)
        settings["latency_rows"], settings["latency_at"] = len(self._latencies), self._latencies.ctypes.data
        settings["random"] = simulation.seed
        settings["slippage_kind"], settings["slippage"] = _SLIPPAGES[simulation.slippage.kind], simulation.slippage.value
        settings["liquidation_fee"] = simulation.liquidation_fee
        plain = (IntrabarPath.PESSIMISTIC, None, SlippageKind.NONE, True)
        chosen = (simulation.path, simulation.participation, simulation.slippage.kind, latency.is_zero)
        settings["intricate"] = int(chosen != plain)

    def _set_instrument(self, number: int, instrument: Instrument) -> None:
        row = self.record["instruments"][number]
        row["price_num"], row["price_den"] = (float(x) for x in instrument.price_increment.as_integer_ratio())
        row["size_num"], row["size_den"] = (float(x) for x in instrument.size_increment.as_integer_ratio())
        row["min_size"] = float(instrument.min_size)
        row["min_notional"] = float(instrument.min_notional)
        row["shortable"] = int(instrument.shortable or instrument.initial_margin > 0)
        row["initial_margin"], row["maintenance_margin"] = float(instrument.initial_margin), float(instrument.maintenance_margin)
        row["maker_fee"] = math.nan if instrument.maker_fee is None else float(instrument.maker_fee)
        row["taker_fee"] = math.nan if instrument.taker_fee is None else float(instrument.taker_fee)

    def expect(self, kinds: int) -> None:
        """Prepares for market events of these kinds (a bit mask of 1 << EventKind): what orders will meet, and order books."""
        meets = layout.BY_EVENT
        if kinds >> layout.DEPTH & 1:
            meets = layout.BY_BOOK
        elif kinds >> layout.QUOTE & 1:
            meets = layout.BY_QUOTE
        column = self.record["instruments"]["meets"][: len(self.instruments)]
        np.maximum(column, meets, out=column)
        if meets == layout.BY_BOOK and self.books is None:
            increments = [(row["price_num"], row["price_den"]) for row in self.record["instruments"][: len(self.instruments)]]
            self.books = new_books(len(increments), increments)
            self.account["books_at"] = self.books.ctypes.data

    def set_limits(self, limits: RiskLimits) -> None:
        """Holds the account to these limits from now on."""
        self.limits = limits
        if self.controls is not None:
            self.controls.set_limits(limits)
        row = self.record["limits"]
        row["order_notional"] = _or_infinite(limits.max_order_notional)
        row["position_size"] = _or_infinite(limits.max_position_size)
        row["daily_loss"] = _or_infinite(limits.max_daily_loss)
        row["drawdown"] = _or_infinite(limits.max_drawdown)
        row["open_orders"] = layout.MAX_ORDERS if limits.max_open_orders is None else limits.max_open_orders
        rate = limits.max_orders_per_minute
        if rate is not None and rate > layout.RATE_WINDOW:
            raise UserError(f"max_orders_per_minute is {rate}; the largest that is counted is {layout.RATE_WINDOW}: give that or less")
        self.account["ask_below"] = math.inf
        row["orders_per_minute"] = np.iinfo(np.int64).max if rate is None else rate
        for number, instrument in enumerate(self.instruments):
            allowed = limits.allowed_markets is None or instrument.symbol in limits.allowed_markets
            self.record["instruments"][number]["allowed"] = int(allowed)

    def on_market(self, kind: int, inst: int, ts_ns: int, a: float, b: float, c: float, d: float, e: float) -> None:
        """One market event: open orders are matched, the position is marked. The columns are ``EventKind``'s; flags may be set."""
        if self.record["instruments"][inst]["meets"] < _MEETS.get(kind & layout.KIND_BITS, layout.BY_EVENT):
            self.expect(1 << (kind & layout.KIND_BITS))
        entry.market_event(self.address, kind, inst, ts_ns, a, b, c, d, e)
        self.refuse_full_book()

    def refuse_full_book(self) -> None:
        """DataError where an order book has more levels than there is room for."""
        if self.account["book_full"]:
            raise DataError(f"an order book of more than {FAR_LIMIT:,} levels far from its best price is not supported")

    def check(self, *, controls: Controls | None = None, replaces: int = 0, **order: Any) -> Reason:
        """Why this order may not go, or NONE. Nothing changes. The order is given as to ``submit``.

        With ``controls`` those are asked in place of the desk's own. ``replaces`` is the id of an open order whose place this one
        would take: that one is not counted, and nothing is said of repetitions and of how fast orders come.
        """
        held_to = self.address + _CONTROLS_AT if controls is None else controls.address
        return Reason(desk_entry.admit(self.address, held_to, self._row.fill(**order), replaces))

    @property
    def now_ns(self) -> int:
        """The account's time."""
        now_ns: int = self._words[_NOW]
        return now_ns

    @property
    def next_ref(self) -> int:
        """The ref that the next order of ``submit_rows`` will have."""
        last: int = self._words[_NEXT_REF]
        return last + 1

    def submit_rows(self, rows: OrderRows, first: int, count: int) -> tuple[list[int], Reason]:
        """Checks and places the orders of these rows, one after the other, until one is refused.

        The ids of those that were placed, and why the next was not; NONE when every one was. Those that were placed have the refs
        from ``next_ref`` on; what the rows say of refs is written over.
        """
        placed = desk_entry.submit_each(self.address, rows.address + first * ROW_BYTES, count)
        return _answered(rows, first, count, placed)

    def reserve_rows(self, controls: Controls, rows: OrderRows, first: int, count: int) -> tuple[list[int], Reason]:
        """As ``submit_rows``, of orders that go to a venue elsewhere: checked, with these controls, and put into the table."""
        reserved = desk_entry.reserve_each(self.address, controls.address, rows.address + first * ROW_BYTES, count)
        return _answered(rows, first, count, reserved)

    def submit(self, **order: Any) -> tuple[int, Reason]:
        """Checks and places an order: its id and NONE, or 0 and the reason. Where orders meet the market at once, it does.

        ``order``: inst, side, type, size, and as they are needed ref, tif, post_only, limit_price, stop_price, trail, trail_kind,
        expire_ns, oco, parent.
        """
        answer = int(desk_entry.submit(self.address, self._row.fill(**order)))
        return (0, Reason(-answer)) if answer < 0 else (answer, Reason.NONE)

    def amend(self, order_id: int, *, size: float = 0.0, price: float = 0.0) -> Reason:
        """Gives an open order another size and price, 0 leaves one as it is; NONE, or why it stays as it was."""
        slot = entry.find(self.address, order_id)
        if slot < 0:
            return Reason.INVALID_ORDER
        ref = int(self.record["orders"][slot]["ref"])
        before = int(self.account["executions"])
        desk_entry.amend(self.address, order_id, size, price)
        told = self.record["executions"][before : int(self.account["executions"])]
        refused = told[(told["kind"] == layout.REFUSAL) & (told["ref"] == ref)]
        return Reason(int(refused[0]["reason"])) if len(refused) else Reason.NONE

    def finish(self) -> None:
        """After the last event: reports of fills that are still under way are told."""
        settle.settle_rest(self.record)

    def cancel(self, order_id: int, reason: Reason = Reason.REQUESTED) -> bool:
        """Takes the order out of the table; False when there is nothing left of it to be cancelled."""
        return bool(desk_entry.cancel(self.address, order_id, int(reason)))

    def is_open(self, order_id: int) -> bool:
        return bool(entry.find(self.address, order_id) >= 0)

    def drain(self) -> list[Execution]:
        """What happened since the last drain."""
        if not self._words[_EXECUTIONS]:
            return []
        account = self.account
        taken = self.record["executions"][: account["executions"]].tolist()
        account["executions"] = account["told"] = account["taken"] = 0
        return [
            Execution(_KINDS[kind], order_id, ref, inst, side, price, size, fee, bool(maker), Reason(reason), ts_ns, FillRule(rule))
            for kind, order_id, ref, inst, side, maker, reason, ts_ns, price, size, fee, rule, *_ in taken
        ]

    def take_executions(self) -> np.ndarray[Any, np.dtype[np.void]]:
        """As ``drain``, but as the records themselves; those that the strategy has not been told of stay to be told."""
        account, log = self.account, self.record["executions"]
        count, told = int(account["executions"]), int(account["told"])
        taken: np.ndarray[Any, np.dtype[np.void]] = log[account["taken"] : count].copy()
        log[: count - told] = log[told:count].copy()
        account["executions"] = account["taken"] = count - told
        account["told"] = 0
        return taken

    def drain_day_ends(self) -> list[tuple[int, float]]:
        """Days since the epoch and the equity that each ended with, since the last drain."""
        account = self.account
        taken: list[tuple[int, float]] = self.record["day_ends"][: account["days"]].tolist()
        account["days"] = 0
        return taken

    def set_kill(self, on: bool) -> None:
        """The kill switch: while it is on, no order passes the check."""
        self.account["killed"] = int(on)

    def breached(self) -> Reason:
        """DAILY_LOSS or DRAWDOWN when that limit is reached now, else NONE."""
        return Reason(entry.breached(self.address))

    def orders_last_minute(self) -> int:
        return int(entry.submissions_in_last_minute(self.address))

    def cash_reserved(self) -> float:
        """What the open buy orders would take from the cash."""
        return float(entry.cash_reserved(self.address))

    def open_orders(self) -> list[Any]:
        """The open orders' records, in the order of submission; copies."""
        count = self._words[_OPEN_ORDERS]
        return list(self.record["orders"][:count].copy()) if count else []

    def open_orders_by_instrument(self) -> list[int]:
        """How many orders are open in each instrument."""
        column = self.record["orders"]["inst"][: self._words[_OPEN_ORDERS]]
        counts: list[int] = np.bincount(column, minlength=len(self.instruments)).tolist()
        return counts

    def apply_fill(self, *, order_id: int, inst: int, side: int, price: float, size: float, fee: float, ts_ns: int, maker: bool) -> None:
        """Books a fill that happened elsewhere: in the journal, or at the guard."""
        self.account["now_ns"] = max(int(self.account["now_ns"]), ts_ns)
        slot = entry.find(self.address, order_id)
        ref = 0
        if slot >= 0:
            ref = int(self.record["orders"][slot]["ref"])
            orders.fill_elsewhere(self.record, slot, size)
        portfolio.apply_fill(self.record, order_id, ref, inst, side, price, size, fee, int(maker))

    def restore_order(self, *, order_id: int, ts_ns: int, filled: float = 0.0, **order: Any) -> None:
        """Puts an order that is open elsewhere into the table, unchecked. The order is given as to ``submit``."""
        desk_entry.restore(self.address, self._row.fill(**order), order_id, filled, ts_ns)

    def remove(self, order_id: int) -> bool:
        """Takes an order out of the table that has ended elsewhere; False when it isn't there."""
        return bool(desk_entry.remove(self.address, order_id))

    def reshape(self, order_id: int, *, size: float, limit_price: float, stop_price: float) -> bool:
        """Gives an order the size and prices that it has elsewhere; False when it isn't open here."""
        return bool(desk_entry.reshape(self.address, order_id, size, limit_price, stop_price))

    def release(self, order_id: int, most: float) -> bool:
        """What the order waited for was filled elsewhere, with so much; False when it waits for nothing."""
        return bool(desk_entry.release(self.address, order_id, most))

    def restore_book(self, kind: int, inst: int, price: float, size: float, side: float) -> None:
        """Puts a row of the past into the instrument's order book; nothing is matched or marked. Prepare with ``expect``."""
        if self.books is not None:
            desk_entry.restore_book(self.address, kind, inst, price, size, side)

    def advance(self, ts_ns: int) -> None:
        """Between two market events it is this time: what is due before it happens."""
        desk_entry.advance(self.address, ts_ns)

    def restore_marks(
        self, *, day_start_equity: float, day_index: int, high_water_mark: float, marks: Sequence[float], now_ns: int
    ) -> None:
        """Sets what a checkpoint keeps: ``day_index`` is the UTC day, in days since the epoch."""
        account = self.account
        for number, price in enumerate(marks):
            self.positions[number]["mark_price"] = price
        account["now_ns"] = now_ns
        account["high_water_mark"] = high_water_mark
        portfolio.revalue(self.record)
        account["day_start_equity"] = day_start_equity
        account["ask_below"] = math.inf
        account["day_end_ns"] = (day_index + 1) * layout.DAY_NS


def _answered(rows: OrderRows, first: int, count: int, placed: int) -> tuple[list[int], Reason]:
    if placed == count:
        return rows.answers(first, count), Reason.NONE
    *ids, refusal = rows.answers(first, placed + 1)
    return ids, Reason(-refusal)


def _bytes_between(first: str, end: str, dtype: np.dtype[np.void] = layout.DESK, at: int = 0) -> slice:
    """Where the fields from one up to another lie in a record."""
    fields: Any = dtype.fields
    return slice(at + fields[first][1], at + fields[end][1])


# what a desk's settings are written to
_SET_UP = (
    _bytes_between("account", "orders"),
    _bytes_between("timers", "submissions"),
    _bytes_between("on", "halted", layout.CONTROLS, _bytes_between("account", "controls").stop),
)


def _or_infinite(limit: Decimal | None) -> float:
    return math.inf if limit is None else float(limit)
