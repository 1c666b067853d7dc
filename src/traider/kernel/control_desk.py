"""The controls of one account, for code that is not compiled: ``traider.kernel.controls`` over a record of its own."""

import copy
from decimal import Decimal
from typing import Any

import numpy as np

from ..domain.errors import UserError
from ..domain.limits import RiskLimits
from ..domain.vocabulary import Reason
from . import bands, controls, desk_entry, layout
from .order_row import OrderRow

_METHODS = {"std": bands.STD, "ewma": bands.EWMA, "atr": bands.ATR}
SECOND_NS = 1_000_000_000


class Controls:
    """Asked by ``check``, told by the others. ``now_ns`` is the account's time, which does not go back.

    ``record`` is where the state lies, if not in one of its own; whoever hands it in keeps it where it is. An order is given as to
    ``Desk.submit``.
    """

    def __init__(self, limits: RiskLimits, record: Any = None) -> None:
        self.record = np.zeros(1, layout.CONTROLS)[0] if record is None else record
        self._row = OrderRow()
        self.set_limits(limits)

    def moved(self, record: Any) -> "Controls":
        """The same controls over another record, which holds the state already."""
        other = copy.copy(self)
        other.record, other._row = record, OrderRow()
        return other

    @property
    def record(self) -> Any:
        return self._record

    @record.setter
    def record(self, record: Any) -> None:
        self._record = record
        self.address = int(record.__array_interface__["data"][0])

    def set_limits(self, limits: RiskLimits) -> None:
        """Holds the account to these controls from now on; ``UserError`` names one that could not be counted."""
        row = self.record
        row["order_size"] = _number(limits.max_order_size)
        row["open_orders_per_market"] = limits.max_open_orders_per_market or 0
        row["gross_exposure"] = _number(limits.max_gross_exposure)
        row["price_deviation"] = _number(limits.max_price_deviation)
        row["market_data_age_ns"] = _nanoseconds(limits.max_market_data_age_s)
        row["orders_per_second"] = _countable("max_orders_per_second", limits.max_orders_per_second)
        row["amends_per_second"] = _countable("max_amends_per_second", limits.max_amends_per_second)
        row["duplicate_window_ns"] = _nanoseconds(limits.duplicate_window_s)
        row["self_match"] = int(limits.prevent_self_match)
        row["safe_mode"] = int(limits.safe_mode)
        row["rejections_in_a_row"] = limits.max_rejections_in_a_row or 0
        # one more than the limit has to be remembered to be counted
        row["rejections_per_minute"] = _countable("max_rejections_per_minute", limits.max_rejections_per_minute, layout.RING - 1)
        row["executions_per_minute"] = _countable("max_executions_per_minute", limits.max_executions_per_minute, layout.RING - 1)
        self._set_band(limits)
        row["on"] = int(any(row[name].item() for name in _SWITCHES) or row["band"]["multiplier"] > 0.0)

    def _set_band(self, limits: RiskLimits) -> None:
        band = self.record["band"]
        band["multiplier"] = 0.0
        method = _METHODS[limits.volatility_method]
        length = limits.atr_window if method == bands.ATR else limits.volatility_window
        if limits.volatility_mult is None or (length is None and method != bands.EWMA):
            return
        least = 2 if method == bands.STD else 1  # one return alone has no deviation
        length = 1 if length is None else length
        if not least <= length <= layout.MAX_WINDOW:
            name = "atr_window" if method == bands.ATR else "volatility_window"
            raise UserError(f"{name} is {length}; give {least} to {layout.MAX_WINDOW}")
        band["method"], band["length"], band["multiplier"] = method, length, float(limits.volatility_mult)
        band["alpha"], band["span_ns"] = float(limits.volatility_alpha), _nanoseconds(limits.volatility_span_s)

    def see_market(self, inst: int, ts_ns: int, price: float) -> None:
        """The market's price at this time."""
        desk_entry.see_market(self.address, inst, ts_ns, price)

    def check(self, desk_address: int, now_ns: int, **order: Any) -> Reason:
        """Why this order may not go, or NONE; the check of the desk at this address has let it pass."""
        if not self.record["on"]:
            return Reason.NONE
        return Reason(desk_entry.check_controls(self.address, desk_address, now_ns, self._row.fill(**order), 0))

    def check_amend(self, now_ns: int) -> Reason:
        """Why no order may be amended now, or NONE."""
        return Reason(desk_entry.amend_reason(self.address, now_ns))

    def placed(self, now_ns: int, **order: Any) -> None:
        """The order goes out."""
        desk_entry.note_placed(self.address, now_ns, self._row.fill(**order))

    def accepted(self) -> None:
        desk_entry.note_accepted(self.address)

    def amended(self, now_ns: int) -> None:
        desk_entry.note_amended(self.address, now_ns)

    def refused(self, now_ns: int, reason: Reason) -> None:
        """An order was refused, here or by the venue."""
        desk_entry.note_refused(self.address, now_ns, int(reason))

    def executed(self, now_ns: int) -> None:
        desk_entry.note_executed(self.address, now_ns)

    def resume(self) -> None:
        """Lets orders go again after a halt."""
        controls.resume(self.record)

    def forget(self) -> None:
        """Begins anew with nothing seen or counted, and held to the same: another market, or another time, from here on."""
        for name in _HISTORY:
            self.record[name] = np.zeros((), self.record.dtype[name])

    def halt_reason(self) -> Reason:
        """Why nothing goes any more; NONE while orders go."""
        return Reason(int(self.record["halted"]))

    def band_width(self, inst: int) -> float | None:
        """Half of the volatility band as a fraction of the market's price; None while it is not known, or there is none."""
        half = float(bands.width(self.record["bands"][inst], self.record["band"]))
        return None if half == bands.UNKNOWN or self.record["band"]["multiplier"] == 0.0 else half

    def returns_seen(self, inst: int) -> int:
        return int(self.record["bands"][inst]["returns"])

    def seen_ns(self, inst: int) -> int:
        """When the market's last price was seen; 0 before the first."""
        return int(self.record["seen_ns"][inst])

    def orders_last_second(self, now_ns: int) -> int:
        return int(controls.orders_in_last_second(self.record, now_ns))

    def amends_last_second(self, now_ns: int) -> int:
        return int(controls.amends_in_last_second(self.record, now_ns))

    def rejections_in_a_row(self) -> int:
        return int(self.record["rejections"])

    def rejections_last_minute(self, now_ns: int) -> int:
        """Refusals for what an order is; 0 where there is no limit on them, since they are not counted then."""
        return int(controls.rejections_in_last_minute(self.record, now_ns))

    def executions_last_minute(self, now_ns: int) -> int:
        return int(controls.executions_in_last_minute(self.record, now_ns))


_SWITCHES = (
    *("order_size", "open_orders_per_market", "gross_exposure", "price_deviation", "market_data_age_ns", "orders_per_second"),
    *("amends_per_second", "duplicate_window_ns", "self_match", "safe_mode"),
    *("rejections_in_a_row", "rejections_per_minute", "executions_per_minute"),
)


_HISTORY = (
    *("halted", "rejections", "placed", "amended", "executed", "rejected", "seen_ns"),
    *("amended_ns", "executed_ns", "rejected_ns", "placed_ns", "recent", "bands"),
)


def gross_exposure(desk: Any) -> float:
    """The gross exposure of the desk with this record, everything open filled to its harm."""
    return float(controls.exposure_with(desk, -1, 0, 0.0))


def _number(limit: Decimal | None) -> float:
    return 0.0 if limit is None else float(limit)


def _nanoseconds(seconds: Decimal | None) -> int:
    return 0 if seconds is None else int(seconds * SECOND_NS)


def _countable(name: str, limit: int | None, most: int = layout.RING) -> int:
    if limit is not None and limit > most:
        raise UserError(f"{name} is {limit}; the largest that is counted is {most}: give that or less")
    return limit or 0
