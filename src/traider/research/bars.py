"""Which bars are to be made of trades: ``1m``, ``volume:100``, ``dollar:1000000``."""

import re

from traider.domain.errors import SettingsError
from traider.engine.made_bars import Maker
from traider.kernel.aggregators import DollarBars, TimeBars, VolumeBars

_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_TIME = re.compile(r"([0-9]{1,6})([smhd])")
_AMOUNT = re.compile(r"(volume|dollar):([0-9.eE+]+)")


def bar_maker(text: str, name: str = "bars") -> Maker:
    """What makes such bars; SettingsError where the text names none."""
    if time := _TIME.fullmatch(text):
        seconds = int(time[1]) * _UNITS_S[time[2]]
        if seconds > 0:
            return TimeBars(seconds)
    if amount := _AMOUNT.fullmatch(text):
        try:
            size = float(amount[2])
        except ValueError:
            size = 0.0
        if 0 < size < float("inf"):
            return VolumeBars(size) if amount[1] == "volume" else DollarBars(size)
    raise SettingsError(
        f"{name} is {text!r}; give a time such as 5s, 1m, 4h, 1d, or volume:100 (in base) or dollar:1000000 (in quote currency)"
    )
