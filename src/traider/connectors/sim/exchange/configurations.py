"""``order_configuration``: each variant of the protocol as terms in whole numbers, or the word for what is wrong with it."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from .orders import BUY, DOWN, UP, Kind, Terms, TimeInForce
from .products import Product
from .refusals import OrderRefusedError
from .settings import Switches
from .units import atoms, parse_atoms, text

_DIRECTIONS = {"STOP_DIRECTION_STOP_UP": UP, "STOP_DIRECTION_STOP_DOWN": DOWN}
BRACKET_SLIP_PERCENT = 5
MAX_PARTS = 100
_EVEN_PRICES = ("", "FLAT")
_SIZE_DISTRIBUTIONS = ("", "UNKNOWN_DISTRIBUTION", "EVENLY_SPLIT", "INCREASING", "DECREASING")


def parse_time(value: object) -> int | None:
    """Nanoseconds since the epoch of an RFC 3339 time; None where it is none."""
    if not isinstance(value, str):
        return None
    head, dot, rest = value.strip().partition(".")
    digits, zone = "", ""
    if dot:
        digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
        zone = rest[len(digits) :]
    try:
        moment = datetime.fromisoformat(head + zone if dot else head)
    except ValueError:
        return None
    if moment.tzinfo is None or (dot and not 0 < len(digits) <= 9):
        return None
    return int(moment.timestamp()) * 10**9 + int(digits.ljust(9, "0") or 0)


def parse_configuration(product: Product, side: int, configuration: object, *, now_ns: int, last: int, switches: Switches) -> Terms:
    """The terms of the one variant that is given; ``OrderRefusedError`` says why they can't be had."""
    if not isinstance(configuration, dict) or len(configuration) != 1:
        raise OrderRefusedError(
            "UNSUPPORTED_ORDER_CONFIGURATION", "give exactly one order configuration", preview="PREVIEW_INVALID_ORDER_CONFIG"
        )
    ((name, fields),) = configuration.items()
    parse = VARIANTS.get(name)
    if parse is None or not isinstance(fields, dict):
        raise OrderRefusedError(
            "UNSUPPORTED_ORDER_CONFIGURATION", f"{name} is not supported on spot", preview="PREVIEW_INVALID_ORDER_CONFIG"
        )
    if fields.get("base_size") and fields.get("quote_size"):
        raise OrderRefusedError("INVALID_REQUEST", "give base_size or quote_size, not both", preview="PREVIEW_INVALID_ORDER_CONFIG")
    terms = parse(_Reader(product, side, fields, now_ns, last))
    check_amount(product, terms.ticks, terms.lots, terms.budget)
    _check_band(terms, last, switches)
    return terms


class _Reader:
    """The fields of one variant, each read once and checked against the product's grid."""

    def __init__(self, product: Product, side: int, fields: dict[str, Any], now_ns: int, last: int) -> None:
        self.product, self.side, self.fields, self.now_ns, self.last = product, side, fields, now_ns, last

    def price(self, name: str) -> int:
        value = parse_atoms(self.fields.get(name))
        ticks, rest = divmod(value or 0, self.product.grid.tick)
        if value is None or not value:
            raise OrderRefusedError("INVALID_LIMIT_PRICE", f"{name} must be a positive number")
        if rest:
            raise OrderRefusedError(
                "INVALID_PRICE_PRECISION", f"{name} has too many decimals: the increment is {text(self.product.grid.tick)}"
            )
        return ticks

    def base(self, name: str = "base_size") -> int:
        value = parse_atoms(self.fields.get(name))
        lots, rest = divmod(value or 0, self.product.grid.lot)
        if value is None or not value:
            raise OrderRefusedError("INVALID_REQUEST", f"{name} must be a positive number", preview="PREVIEW_INVALID_SIZE_PRECISION")
        if rest:
            raise OrderRefusedError(
                "INVALID_SIZE_PRECISION", f"{name} has too many decimals: the increment is {text(self.product.grid.lot)}"
            )
        return lots

    def size(self, ticks: int) -> int:
        """Lots, from ``base_size`` or at this price from ``quote_size``."""
        if self.fields.get("base_size") or not self.fields.get("quote_size"):
            return self.base()
        return max(1, self.budget() // self.product.grid.cost(ticks, 1))

    def budget(self) -> int:
        value = parse_atoms(self.fields.get("quote_size"))
        if not value:
            raise OrderRefusedError("INVALID_REQUEST", "quote_size must be a positive number", preview="PREVIEW_INVALID_SIZE_PRECISION")
        if value % self.product.grid.tick:
            raise OrderRefusedError(
                "INVALID_SIZE_PRECISION", f"quote_size has too many decimals: the increment is {text(self.product.grid.tick)}"
            )
        return value

    def end(self, name: str = "end_time") -> int:
        end_ns = parse_time(self.fields.get(name))
        if end_ns is None or end_ns <= self.now_ns:
            raise OrderRefusedError("INVALID_REQUEST", f"{name} must be a time in the future", preview="PREVIEW_INVALID_ORDER_CONFIG")
        return end_ns

    def direction(self, ticks: int, stop: int) -> int:
        direction = _DIRECTIONS.get(str(self.fields.get("stop_direction")))
        if direction is None:
            raise OrderRefusedError("INVALID_REQUEST", "stop_direction is missing", preview="PREVIEW_INVALID_STOP_PRICE")
        if self.last and (self.last - stop) * direction >= 0:
            word = "BELOW" if direction == UP else "ABOVE"
            raise OrderRefusedError(
                "INVALID_REQUEST", "the stop price is already reached", preview=f"PREVIEW_STOP_PRICE_{word}_LAST_TRADE_PRICE"
            )
        # A buy that is to follow a rising price must be allowed to pay at least the price that wakes it, a sell the mirror image.
        if direction == self.side and (ticks - stop) * self.side < 0:
            word = "ABOVE" if self.side == BUY else "BELOW"
            raise OrderRefusedError(
                "INVALID_REQUEST", "limit and stop price exclude each other", preview=f"PREVIEW_STOP_PRICE_{word}_LIMIT_PRICE"
            )
        return direction


def _market(tif: TimeInForce) -> Callable[[_Reader], Terms]:
    def parse(reader: _Reader) -> Terms:
        if reader.fields.get("quote_size") and not reader.fields.get("base_size"):
            if reader.side != BUY:
                raise OrderRefusedError(
                    "UNSUPPORTED_ORDER_CONFIGURATION", "a market sell needs base_size", preview="PREVIEW_INVALID_ORDER_CONFIG"
                )
            return Terms(Kind.MARKET, tif, budget=reader.budget())
        return Terms(Kind.MARKET, tif, lots=reader.base())

    return parse


def _limit(tif: TimeInForce) -> Callable[[_Reader], Terms]:
    def parse(reader: _Reader) -> Terms:
        ticks = reader.price("limit_price")
        return Terms(
            Kind.LIMIT,
            tif,
            lots=reader.size(ticks),
            ticks=ticks,
            post_only=reader.fields.get("post_only") is True and tif in (TimeInForce.GTC, TimeInForce.GTD),
            end_ns=reader.end() if tif is TimeInForce.GTD else 0,
        )

    return parse


def _stop_limit(tif: TimeInForce) -> Callable[[_Reader], Terms]:
    def parse(reader: _Reader) -> Terms:
        ticks, stop = reader.price("limit_price"), reader.price("stop_price")
        return Terms(
            Kind.STOP_LIMIT,
            tif,
            lots=reader.size(ticks),
            ticks=ticks,
            stop_ticks=stop,
            stop_direction=reader.direction(ticks, stop),
            end_ns=reader.end() if tif is TimeInForce.GTD else 0,
        )

    return parse


def _bracket(tif: TimeInForce) -> Callable[[_Reader], Terms]:
    def parse(reader: _Reader) -> Terms:
        ticks, stop = reader.price("limit_price"), reader.price("stop_trigger_price")
        if (ticks - stop) * reader.side >= 0:
            raise OrderRefusedError(
                "INVALID_REQUEST", "the stop must be on the other side of the limit", preview="PREVIEW_INVALID_STOP_PRICE"
            )
        if reader.last and (reader.last - stop) * reader.side >= 0:
            raise OrderRefusedError("INVALID_REQUEST", "the stop price is already reached", preview="PREVIEW_INVALID_STOP_PRICE")
        return Terms(
            Kind.BRACKET,
            tif,
            lots=reader.base(),
            ticks=ticks,
            stop_ticks=stop,
            stop_direction=reader.side,
            end_ns=reader.end() if tif is TimeInForce.GTD else 0,
        )

    return parse


def bracket_limit(ticks: int, side: int) -> int:
    """The limit of a bracket whose stop was reached: 5 % through it."""
    return max(1, ticks * (100 + side * BRACKET_SLIP_PERCENT) // 100)


def attached_bracket(product: Product, side: int, fields: dict[str, Any], lots: int) -> Terms:
    """The bracket that follows an order, for what that got; it has no size of its own, and its stop may be reached at once."""
    return _bracket(TimeInForce.GTC)(_Reader(product, side, fields | {"base_size": product.grid.size(lots)}, 0, 0))


def _twap(reader: _Reader) -> Terms:
    ticks = reader.price("limit_price")
    lots, parts = reader.size(ticks), _count(reader, "number_buckets")
    end_ns = reader.end()
    start_ns = parse_time(reader.fields.get("start_time")) or reader.now_ns
    start_ns = max(start_ns, reader.now_ns)
    if end_ns <= start_ns:
        raise OrderRefusedError("INVALID_REQUEST", "end_time must be after start_time", preview="PREVIEW_INVALID_ORDER_CONFIG")
    part, rest = divmod(lots, parts)
    slices = tuple((ticks, part + (number < rest)) for number in range(parts))
    return Terms(
        Kind.TWAP,
        TimeInForce.GTD,
        lots=lots,
        ticks=ticks,
        start_ns=start_ns,
        end_ns=end_ns,
        slices=slices,
        slice_ns=(end_ns - start_ns) // parts,
    )


def _scaled(reader: _Reader) -> Terms:
    low, high, parts = reader.price("min_price"), reader.price("max_price"), _count(reader, "num_orders")
    if low >= high or parts < 2:
        raise OrderRefusedError("INVALID_REQUEST", "a scaled order needs a range and two orders", preview="PREVIEW_INVALID_ORDER_CONFIG")
    for name, known in (("price_distribution", _EVEN_PRICES), ("size_distribution", _SIZE_DISTRIBUTIONS)):
        if str(reader.fields.get(name) or "").upper() not in known:
            raise OrderRefusedError(
                "UNSUPPORTED_ORDER_CONFIGURATION", f"{name} is one of {', '.join(known[1:])}", preview="PREVIEW_INVALID_ORDER_CONFIG"
            )
    total = reader.size((low + high) // 2)
    weights = _weights(reader, parts)
    prices = [low + (high - low) * number // (parts - 1) for number in range(parts)]
    sizes = [total * weight // sum(weights) for weight in weights]
    sizes[-1] += total - sum(sizes)
    if min(sizes) < 1:
        raise OrderRefusedError("INVALID_REQUEST", "too small for so many orders", preview="PREVIEW_INVALID_SIZE_PRECISION")
    best = max(prices) if reader.side == BUY else min(prices)
    return Terms(Kind.SCALED, TimeInForce.GTC, lots=total, ticks=best, slices=tuple(zip(prices, sizes, strict=True)))


def _weights(reader: _Reader, parts: int) -> list[int]:
    ratio = parse_atoms(reader.fields.get("size_ratio")) or atoms(2)
    span = atoms(1)
    rising = [span + (ratio - span) * number // (parts - 1) for number in range(parts)]
    match str(reader.fields.get("size_distribution", "")).upper():
        case "INCREASING":
            return rising
        case "DECREASING":
            return rising[::-1]
        case _:
            return [1] * parts


def _count(reader: _Reader, name: str) -> int:
    try:
        count = int(str(reader.fields.get(name)))
    except ValueError:
        count = 0
    if not 1 <= count <= MAX_PARTS:
        raise OrderRefusedError("INVALID_REQUEST", f"{name} must be from 1 to {MAX_PARTS}", preview="PREVIEW_INVALID_ORDER_CONFIG")
    return count


VARIANTS: dict[str, Callable[[_Reader], Terms]] = {
    "market_market_ioc": _market(TimeInForce.IOC),
    "sor_limit_ioc": _limit(TimeInForce.IOC),
    "limit_limit_gtc": _limit(TimeInForce.GTC),
    "limit_limit_gtd": _limit(TimeInForce.GTD),
    "limit_limit_fok": _limit(TimeInForce.FOK),
    "stop_limit_stop_limit_gtc": _stop_limit(TimeInForce.GTC),
    "stop_limit_stop_limit_gtd": _stop_limit(TimeInForce.GTD),
    "trigger_bracket_gtc": _bracket(TimeInForce.GTC),
    "trigger_bracket_gtd": _bracket(TimeInForce.GTD),
    "twap_limit_gtd": _twap,
    "scaled_limit_gtc": _scaled,
}


def check_amount(product: Product, ticks: int, lots: int, budget: int = 0) -> None:
    """Against the product's smallest and largest sizes; ``ticks`` 0 where there is no price yet."""
    if lots and not product.min_lots <= lots <= product.max_lots:
        raise OrderRefusedError("INVALID_REQUEST", "size outside the product's limits", preview="PREVIEW_INVALID_BASE_SIZE")
    value = budget or (product.grid.cost(ticks, lots) if ticks else 0)
    if value and not atoms(product.quote_min_size) <= value <= atoms(product.quote_max_size):
        raise OrderRefusedError("INVALID_REQUEST", "value outside the product's limits", preview="PREVIEW_INVALID_QUOTE_SIZE")


def _check_band(terms: Terms, last: int, switches: Switches) -> None:
    if switches.price_band and terms.ticks and last and abs(terms.ticks - last) > switches.price_band * last:
        raise OrderRefusedError("INVALID_LIMIT_PRICE", "the limit price is too far from the market")
