"""When a simulated order fills, and at which price. Every rule is in words in ``docs/matching.md``.

Here is what meets bars; trades are in ``matching_trades``, quotes in ``matching_quotes``, order books in ``matching_book``.
"""

import math
from typing import Any

from .grid import size_below
from .jit import compiled, inlined
from .layout import MARKET, NEXT_CLOSE, PATH_PESSIMISTIC
from .matching_bars import match_pessimistic
from .matching_path import match_along_path
from .matching_rules import AT_CLOSE, AT_OPEN
from .orders import fill_at, sweep_ended, unfilled


@inlined
def awaits_price(desk: Any) -> bool:
    """Whether more is to be done than to fill market orders at the next price."""
    account = desk.account
    if desk.settings.intricate != 0 or account.linked > 0 or account.waiting > 0:
        return True
    for i in range(account.open_orders):
        if desk.orders[i].type != MARKET:
            return True
    return False


@compiled
def match_market(desk: Any, inst: int, price: float) -> None:
    """The instrument's open orders, all of them market orders, fill at this price."""
    rule = AT_CLOSE if desk.settings.fill_mode == NEXT_CLOSE else AT_OPEN
    i = 0
    while i < desk.account.open_orders:
        left = False
        if desk.orders[i].inst == inst:
            left = fill_at(desk, i, price, unfilled(desk, i), 0, rule)
        if not left:
            i += 1


@compiled
def match_bar(desk: Any, inst: int, open_: float, high: float, low: float, close: float, volume: float) -> None:
    settings = desk.settings
    on_offer = math.inf
    if settings.participation < math.inf:
        on_offer = size_below(desk, inst, settings.participation * volume)
    if settings.path == PATH_PESSIMISTIC:
        match_pessimistic(desk, inst, open_, high, low, close, volume, on_offer)
    else:
        match_along_path(desk, inst, open_, high, low, close, volume, on_offer)
    if desk.account.stirred != 0:
        sweep_ended(desk)
