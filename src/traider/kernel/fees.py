"""What a fill costs: maker and taker fractions, by instrument or by the tier of the 30-day volume."""

from typing import Any

from .jit import compiled, inlined
from .layout import DAY_NS, VOLUME_DAYS


@inlined
def fee_rate(desk: Any, inst: int, maker: int) -> float:
    """Fraction of the notional: the instrument's own, else the account's."""
    instrument = desk.instruments[inst]
    if maker != 0:
        return float(instrument.maker_fee if instrument.maker_fee == instrument.maker_fee else desk.account.maker_fee)
    return float(instrument.taker_fee if instrument.taker_fee == instrument.taker_fee else desk.account.taker_fee)


@inlined
def highest_fee_rate(desk: Any, inst: int) -> float:
    """The larger of the two that an order may come to pay."""
    return max(fee_rate(desk, inst, 0), fee_rate(desk, inst, 1))


@compiled
def count_volume(desk: Any, notional: float) -> None:
    """Counts a fill into the volume that decides the tier."""
    settings = desk.settings
    if settings.tiers > 0:
        settings.volumes[settings.volume_day % VOLUME_DAYS] += notional


@compiled
def start_fee_day(desk: Any, ts_ns: int) -> None:
    """Chooses the tier for the UTC day that begins: by the notional that was traded on the 30 days before it."""
    settings = desk.settings
    if settings.tiers == 0:
        return
    today = ts_ns // DAY_NS
    for day in range(max(settings.volume_day + 1, today - VOLUME_DAYS), today):
        settings.volumes[day % VOLUME_DAYS] = 0.0  # nothing was traded on it; what stood there is of 30 days before
    volume = 0.0
    for i in range(VOLUME_DAYS):
        volume += settings.volumes[i]
    settings.volumes[today % VOLUME_DAYS] = 0.0
    settings.volume_day = today
    account = desk.account
    account.maker_fee = settings.base_maker_fee
    account.taker_fee = settings.base_taker_fee
    for i in range(settings.tiers):
        tier = settings.fee_tiers[i]
        if volume >= tier.volume:
            account.maker_fee = tier.maker
            account.taker_fee = tier.taker
