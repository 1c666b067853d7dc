"""Performance figures, each by a stated formula and each in one place.

``daily`` has those of daily returns, ``trades`` those of round trips and fills, ``curves`` those of the equity curve, and
``summary`` puts them together. All of them are pure functions; None stands where there is nothing to say.
"""

from .daily import DAYS_A_YEAR as DAYS_A_YEAR
from .daily import sharpe_ratio as sharpe_ratio
