"""Positions on margin: what they take, when an account is liquidated, and at which price.

Linear contracts: profit in the quote currency, and the equity is cash plus positions at their marks, as on spot. An
instrument is held on margin when its initial margin is above 0.
"""

from typing import Any

from ..domain.vocabulary import FillRule, Reason
from .fees import fee_rate
from .grid import worse_price
from .jit import compiled
from .machine import seldom
from .portfolio import apply_fill, net_worth, revalue

_LIQUIDATION_RULE = int(FillRule.LIQUIDATION)
LIQUIDATION = int(Reason.LIQUIDATION)


@compiled
def margin_needed(desk: Any, inst: int, worst: float, price: float) -> float:
    """What the positions take if everything that is open fills on the side where it takes more; spot holdings take their worth.

    A position in instrument ``inst`` may come to be ``worst``, at ``price`` or the mark, whichever is more.
    """
    total = 0.0
    for k in range(desk.account.instruments):
        position = desk.positions[k]
        instrument = desk.instruments[k]
        mark = position.mark_price
        if instrument.initial_margin == 0.0:
            total += max(position.size + position.open_buys, 0.0) * mark
            continue
        largest = max(abs(position.size + position.open_buys), abs(position.size - position.open_sells)) * mark
        if k == inst:
            largest = max(largest, worst * max(mark, price))
        total += largest * instrument.initial_margin
    return total


@compiled
def maintenance(desk: Any, inst: int, price: float) -> float:
    """The equity below which the account is liquidated, if instrument ``inst`` is at this price."""
    total = 0.0
    for k in range(desk.account.instruments):
        position = desk.positions[k]
        at = price if k == inst else position.mark_price
        total += abs(position.size) * at * desk.instruments[k].maintenance_margin
    return total


@compiled
def _equity_at(desk: Any, inst: int, price: float) -> float:
    position = desk.positions[inst]
    return float(net_worth(desk) + position.size * (price - position.mark_price))


@compiled
def liquidation_price(desk: Any, inst: int) -> float:
    """The price of the instrument at which equity and maintenance margin meet, the other marks as they are; 0 where none does."""
    position = desk.positions[inst]
    size = position.size
    slope = size - abs(size) * desk.instruments[inst].maintenance_margin
    if slope == 0.0:
        return 0.0
    price = (maintenance(desk, inst, 0.0) - net_worth(desk) + size * position.mark_price) / slope
    return float(max(price, 0.0))


@compiled
def is_liquidated_at(desk: Any, inst: int, price: float) -> bool:
    return bool(_equity_at(desk, inst, price) < maintenance(desk, inst, price))


@compiled
def close_on_margin(desk: Any, inst: int, price: float) -> None:
    """Closes every position on margin, of this instrument at this price, of the others at their marks, in whole increments.

    Fee and penalty are taken.
    """
    seldom()
    account = desk.account
    account.liquidations += 1
    for k in range(account.instruments):
        position = desk.positions[k]
        if position.size == 0.0 or desk.instruments[k].initial_margin == 0.0:
            continue
        size = abs(position.size)
        side = -1 if position.size > 0.0 else 1
        at = worse_price(desk, k, side, price if k == inst else position.mark_price)
        fee = at * size * (fee_rate(desk, k, 0) + desk.settings.liquidation_fee)
        apply_fill(desk, 0, 0, k, side, at, size, fee, 0)
        entry = desk.executions[account.executions - 1]
        entry.reason = LIQUIDATION
        entry.rule = _LIQUIDATION_RULE
    revalue(desk)
