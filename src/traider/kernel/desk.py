"""One account over the kernel: the engine's record with the functions that change it, for code that is not compiled.

The backtest and the live session hand ``Desk.record`` to a strategy's driver; the guard calls the methods.
"""

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Literal, NamedTuple

import numpy as np

from ..domain.errors import TraiderError, UserError
from ..domain.instruments import Instrument
from ..domain.limits import RiskLimits
from ..domain.vocabulary import Reason
from . import entry, layout, orders, portfolio
from .simulation import Fees, FillMode

_KINDS: dict[int, Literal["fill", "cancel", "refusal"]] = {layout.FILL: "fill", layout.CANCEL: "cancel", layout.REFUSAL: "refusal"}


class Execution(NamedTuple):
    """Something that happened to an order, in the order in which it happened."""

    kind: Literal["fill", "cancel", "refusal"]
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


class Desk:
    """An account with its positions, open orders, limits and, in simulation, the venue's matching.

    Instruments are numbered in the order in which they are given. Money is in the instruments' common quote currency.
    With ``trips`` a loss limit that is reached turns the kill switch on, as the guard does for an account that it guards.
    """

    def __init__(
        self,
        instruments: Sequence[Instrument],
        *,
        cash: float,
        limits: RiskLimits | None = None,
        fees: Fees | None = None,
        fill: FillMode = FillMode.NEXT_OPEN,
        remote: bool = False,
        trips: bool = False,
    ) -> None:
        if not 0 < len(instruments) <= layout.MAX_INSTRUMENTS:
            raise TraiderError(f"an account trades 1 to {layout.MAX_INSTRUMENTS} instruments, not {len(instruments)}")
        self.instruments = tuple(instruments)
        self.records = np.zeros(1, layout.DESK)
        self.record: Any = self.records[0]
        self.address = int(self.records.ctypes.data)
        self.account: Any = self.record["account"]
        self.positions: Any = self.record["positions"]
        fees = fees or Fees()
        account = self.account
        account["cash"] = account["equity"] = account["high_water_mark"] = account["day_start_equity"] = cash
        account["maker_fee"], account["taker_fee"] = fees.maker, fees.taker
        account["fill_mode"] = int(fill)
        account["venue"] = layout.REMOTE if remote else layout.SIMULATED
        account["instruments"] = len(instruments)
        account["curve_low"] = cash
        for number, instrument in enumerate(instruments):
            self._set_instrument(number, instrument)
        self.set_limits(limits or RiskLimits())
        account["trips"] = int(trips and (self.limits.max_daily_loss is not None or self.limits.max_drawdown is not None))

    def _set_instrument(self, number: int, instrument: Instrument) -> None:
        row = self.record["instruments"][number]
        row["price_num"], row["price_den"] = (float(x) for x in instrument.price_increment.as_integer_ratio())
        row["size_num"], row["size_den"] = (float(x) for x in instrument.size_increment.as_integer_ratio())
        row["min_size"] = float(instrument.min_size)
        row["min_notional"] = float(instrument.min_notional)
        row["shortable"] = int(instrument.shortable)

    def set_limits(self, limits: RiskLimits) -> None:
        """Holds the account to these limits from now on."""
        self.limits = limits
        row = self.record["limits"]
        row["order_notional"] = _or_infinite(limits.max_order_notional)
        row["position_size"] = _or_infinite(limits.max_position_size)
        row["daily_loss"] = _or_infinite(limits.max_daily_loss)
        row["drawdown"] = _or_infinite(limits.max_drawdown)
        row["open_orders"] = layout.MAX_ORDERS if limits.max_open_orders is None else limits.max_open_orders
        rate = limits.max_orders_per_minute
        if rate is not None and rate > layout.RATE_WINDOW:
            raise UserError(f"max_orders_per_minute is {rate}; the largest that is counted is {layout.RATE_WINDOW}: give that or less")
        row["orders_per_minute"] = np.iinfo(np.int64).max if rate is None else rate
        for number, instrument in enumerate(self.instruments):
            allowed = limits.allowed_markets is None or instrument.symbol in limits.allowed_markets
            self.record["instruments"][number]["allowed"] = int(allowed)

    def on_market(self, kind: int, inst: int, ts_ns: int, a: float, b: float, c: float, d: float, e: float) -> None:
        """One market event: open orders are matched, the position is marked. The columns are ``EventKind``'s."""
        entry.market_event(self.address, kind, inst, ts_ns, a, b, c, d)

    def check(
        self, *, inst: int, side: int, type: int, tif: int, post_only: bool, size: float, limit_price: float, stop_price: float
    ) -> Reason:
        """Why this order may not go, or NONE. Nothing changes."""
        return Reason(entry.check(self.address, inst, side, type, tif, int(post_only), size, limit_price, stop_price))

    def submit(
        self,
        *,
        inst: int,
        side: int,
        type: int,
        tif: int,
        post_only: bool,
        size: float,
        limit_price: float,
        stop_price: float,
        ref: int = 0,
    ) -> tuple[int, Reason]:
        """Checks and places an order: its id and NONE, or 0 and the reason. In fill mode SAME a market order is filled."""
        answer = orders.submit(self.record, self._request(ref, inst, side, type, tif, post_only, size, limit_price, stop_price))
        return (0, Reason(-answer)) if answer < 0 else (answer, Reason.NONE)

    def _request(
        self, ref: int, inst: int, side: int, type_: int, tif: int, post_only: bool, size: float, limit_price: float, stop_price: float
    ) -> Any:
        row = np.zeros(1, layout.ORDER)[0]
        row["ref"], row["inst"], row["side"], row["type"] = ref, inst, side, type_
        row["tif"], row["post_only"], row["size"] = tif, int(post_only), size
        row["limit_price"], row["stop_price"] = limit_price, stop_price
        return row

    def cancel(self, order_id: int, reason: Reason = Reason.REQUESTED) -> bool:
        """Takes the order out of the table; False when it isn't open."""
        slot = entry.find(self.address, order_id)
        if slot < 0:
            return False
        orders.cancel_at(self.record, slot, int(reason))
        return True

    def is_open(self, order_id: int) -> bool:
        return bool(entry.find(self.address, order_id) >= 0)

    def drain(self) -> list[Execution]:
        """What happened since the last drain."""
        account = self.account
        taken = self.record["executions"][: account["executions"]].tolist()
        account["executions"] = account["told"] = account["taken"] = 0
        return [
            Execution(_KINDS[kind], order_id, ref, inst, side, price, size, fee, bool(maker), Reason(reason), ts_ns)
            for kind, order_id, ref, inst, side, maker, reason, ts_ns, price, size, fee in taken
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
        return list(self.record["orders"][: self.account["open_orders"]].copy())

    def apply_fill(self, *, order_id: int, inst: int, side: int, price: float, size: float, fee: float, ts_ns: int, maker: bool) -> None:
        """Books a fill that happened elsewhere: in the journal, or at the guard."""
        self.account["now_ns"] = max(int(self.account["now_ns"]), ts_ns)
        slot = entry.find(self.address, order_id)
        ref = 0
        if slot >= 0:
            ref = int(self.record["orders"][slot]["ref"])
            orders.fill_elsewhere(self.record, slot, size)
        portfolio.apply_fill(self.record, order_id, ref, inst, side, price, size, fee, int(maker))

    def restore_order(
        self,
        *,
        order_id: int,
        ref: int,
        inst: int,
        side: int,
        type: int,
        tif: int,
        post_only: bool,
        size: float,
        filled: float,
        limit_price: float,
        stop_price: float,
        ts_ns: int,
    ) -> None:
        """Puts an order that is open elsewhere into the table, unchecked."""
        orders.place(self.record, self._request(ref, inst, side, type, tif, post_only, size, limit_price, stop_price))
        slot = int(self.account["open_orders"]) - 1
        row = self.record["orders"][slot]
        row["id"], row["filled"], row["ts_ns"] = order_id, filled, ts_ns
        self.account["next_id"] = max(int(self.account["next_id"]), order_id)
        self.record["submissions"][(int(self.account["submissions"]) - 1) % layout.RATE_WINDOW] = ts_ns
        orders.count_open(self.record, inst)

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
        account["day_end_ns"] = (day_index + 1) * layout.DAY_NS


def _or_infinite(limit: Decimal | None) -> float:
    return math.inf if limit is None else float(limit)
