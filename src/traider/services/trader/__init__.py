"""The trader's process: a strategy between a market and the guard."""

from .lag import STALE_S as STALE_S
from .plan import MarketSource as MarketSource
from .plan import Plan as Plan
from .plan import Resumed as Resumed
from .trader import Trader as Trader
