"""The fills of a session beside the backtest's, order by order: which are the same, and by how much the others differ.

Both sides of an order are gone through together by size, so that an order that was filled in three parts is compared with the one fill
of the backtest part by part; a fee is divided as the size is. What only one side has filled is missed, or extra.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Context, Decimal
from enum import StrEnum

import msgspec

from ..domain.orders import OrderFilled
from ..domain.vocabulary import Liquidity

ZERO = Decimal(0)
_EXACT = Context(prec=60)  # a price times a size, and sums of such
BASIS_POINTS = 10_000
_NS_PER_MS = 1_000_000


class Verdict(StrEnum):
    SAME = "same"
    DIFFERENT = "different"
    MISSED = "missed"  # the backtest's alone
    EXTRA = "extra"  # the session's alone


class Filled(msgspec.Struct, frozen=True, kw_only=True):
    """One side of a compared part of an order; ``whole`` is that it is one fill and not a piece of one."""

    price: Decimal
    fee: Decimal
    ts_ns: int
    liquidity: Liquidity
    whole: bool


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """A part of an order as the session filled it and as the backtest did; None where one of them did not.

    ``slippage`` is what the session paid more, or got less, in quote currency without fees; ``fee_difference`` how much more it paid.
    ``client_order_id`` is the session's, ``backtest_order_id`` the backtest's where that is another one.
    """

    verdict: Verdict
    client_order_id: str
    backtest_order_id: str
    symbol: str
    side: str
    size: Decimal
    session: Filled | None
    backtest: Filled | None
    slippage: Decimal | None = None
    basis_points: Decimal | None = None
    fee_difference: Decimal | None = None
    later_ms: float | None = None
    reason: str = ""

    @property
    def ts_ns(self) -> int:
        """When it happened, in the session where it happened there."""
        side = self.session or self.backtest
        return 0 if side is None else side.ts_ns


def compare_fills(session: Sequence[OrderFilled], backtest: Sequence[OrderFilled], twins: Mapping[str, str]) -> list[Compared]:
    """Every part of every order, by time. ``twins`` are the session's ids of the backtest's orders that have another one there."""
    ours, theirs = _by_order(session), _by_order(backtest)
    compared: list[Compared] = []
    for identifier, fills in theirs.items():
        compared += _compare_order(twins.get(identifier, identifier), identifier, ours.pop(twins.get(identifier, identifier), []), fills)
    for identifier, fills in ours.items():
        compared += _compare_order(identifier, identifier, fills, [])
    return sorted(compared, key=lambda one: one.ts_ns)


def find_twins(session: Iterable[OrderFilled], backtest: Iterable[OrderFilled], decided: Mapping[str, int], within: int) -> dict[str, str]:
    """The session's ids of the backtest's orders that it decided on a little earlier or later, by the backtest's id.

    They are of the same market and side, filled on one side only under their own id, and decided on at most ``within`` market events
    apart; the nearest are brought together first.
    """
    ours, theirs = _by_order(session), _by_order(backtest)
    free: dict[tuple[str, int, int], list[str]] = {}  # the session's, by market, side and market event
    for identifier, fills in ours.items():
        if identifier not in theirs and identifier in decided:
            free.setdefault((fills[0].symbol, fills[0].side, decided[identifier]), []).append(identifier)
    near = sorted(
        (abs(apart), decided[identifier], identifier, (fills[0].symbol, fills[0].side, decided[identifier] + apart))
        for identifier, fills in theirs.items()
        if identifier not in ours and identifier in decided
        for apart in range(-within, within + 1)
        if (fills[0].symbol, fills[0].side, decided[identifier] + apart) in free
    )
    twins: dict[str, str] = {}
    for _, _, identifier, place in near:
        if identifier not in twins and free[place]:
            twins[identifier] = free[place].pop(0)
    return twins


def _by_order(fills: Iterable[OrderFilled]) -> dict[str, list[OrderFilled]]:
    orders: dict[str, list[OrderFilled]] = {}
    for fill in fills:
        orders.setdefault(fill.client_order_id, []).append(fill)
    return orders


def _compare_order(ours: str, theirs: str, session: Sequence[OrderFilled], backtest: Sequence[OrderFilled]) -> Iterator[Compared]:
    mine, other = _Pieces(session), _Pieces(backtest)
    while (fill := mine.fill or other.fill) is not None:
        size = min(left for left in (mine.left, other.left) if left)
        yield _compared(ours, "" if ours == theirs else theirs, fill, size, mine.take(size), other.take(size))


class _Pieces:
    """Fills of one order, taken piece by piece."""

    def __init__(self, fills: Sequence[OrderFilled]) -> None:
        self._fills = list(fills)
        self._done = ZERO  # of the first one
        self._fee_told = ZERO

    @property
    def fill(self) -> OrderFilled | None:
        return self._fills[0] if self._fills else None

    @property
    def left(self) -> Decimal:
        return _EXACT.subtract(self._fills[0].size, self._done) if self._fills else ZERO

    def take(self, size: Decimal) -> Filled | None:
        """The next piece of this size, which is at most what is left of the fill; None after the last one."""
        if not self._fills:
            return None
        fill = self._fills[0]
        whole = size == fill.size
        ends = size == self.left
        # the last piece takes what is left, so that the pieces come to the whole fee whatever the divisions round
        fee = fill.fee - self._fee_told if ends else fill.fee * size / fill.size
        self._done, self._fee_told = _EXACT.add(self._done, size), self._fee_told + fee
        if ends:
            self._fills.pop(0)
            self._done = self._fee_told = ZERO
        return Filled(price=fill.price, fee=fee, ts_ns=fill.ts_ns, liquidity=fill.liquidity, whole=whole)


def _compared(ours: str, theirs: str, fill: OrderFilled, size: Decimal, session: Filled | None, backtest: Filled | None) -> Compared:
    if session is None or backtest is None:
        return Compared(
            verdict=Verdict.EXTRA if backtest is None else Verdict.MISSED,
            client_order_id=ours,
            backtest_order_id=theirs,
            symbol=fill.symbol,
            side=fill.side.name.lower(),
            size=size,
            session=session,
            backtest=backtest,
        )
    worse = _EXACT.multiply(_EXACT.subtract(session.price, backtest.price), Decimal(int(fill.side)))
    return Compared(
        verdict=Verdict.SAME if session == backtest and not theirs else Verdict.DIFFERENT,
        client_order_id=ours,
        backtest_order_id=theirs,
        symbol=fill.symbol,
        side=fill.side.name.lower(),
        size=size,
        session=session,
        backtest=backtest,
        slippage=_EXACT.multiply(worse, size),
        basis_points=worse / backtest.price * BASIS_POINTS,
        fee_difference=session.fee - backtest.fee,
        later_ms=(session.ts_ns - backtest.ts_ns) / _NS_PER_MS,
    )


class Sums(msgspec.Struct, frozen=True, kw_only=True):
    """What all parts come to. Slippage and fees are of what both have filled, in quote currency; positive is worse for the account."""

    same: int
    different: int
    missed: int
    extra: int
    slippage: Decimal
    basis_points: Decimal  # of the backtest's notional
    fees_session: Decimal
    fees_backtest: Decimal
    fee_difference: Decimal
    later_ms_p50: float
    later_ms_p99: float
    later_ms_max: float
    missed_notional: Decimal
    extra_notional: Decimal


def sums_of(compared: Sequence[Compared]) -> Sums:
    """The sums over the parts; times are of those that both have filled."""
    both = [(one, one.session, one.backtest) for one in compared if one.session is not None and one.backtest is not None]
    slippage = sum((one.slippage or ZERO for one, _, _ in both), ZERO)
    notional = sum((_EXACT.multiply(theirs.price, one.size) for one, _, theirs in both), ZERO)
    ours, other = (sum((sides[which].fee for _, *sides in both), ZERO) for which in (0, 1))
    later = sorted(one.later_ms or 0.0 for one, _, _ in both)
    count = {verdict: sum(one.verdict is verdict for one in compared) for verdict in Verdict}
    return Sums(
        same=count[Verdict.SAME],
        different=count[Verdict.DIFFERENT],
        missed=count[Verdict.MISSED],
        extra=count[Verdict.EXTRA],
        slippage=slippage,
        basis_points=slippage / notional * BASIS_POINTS if notional else ZERO,
        fees_session=ours,
        fees_backtest=other,
        fee_difference=ours - other,
        later_ms_p50=_quantile(later, 0.5),
        later_ms_p99=_quantile(later, 0.99),
        later_ms_max=later[-1] if later else 0.0,
        missed_notional=_notional(compared, Verdict.MISSED),
        extra_notional=_notional(compared, Verdict.EXTRA),
    )


def _quantile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of them do not exceed."""
    return ordered[max(0, -(-int(len(ordered) * share * 1000) // 1000) - 1)] if ordered else 0.0


def _notional(compared: Sequence[Compared], verdict: Verdict) -> Decimal:
    return sum(
        (_EXACT.multiply(side.price, one.size) for one in compared if one.verdict is verdict and (side := one.session or one.backtest)),
        ZERO,
    )
