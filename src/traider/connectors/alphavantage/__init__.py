"""Alpha Vantage: bars of shares, by day and by minutes, for research. Its prices are of no use to a live order."""

from .client import AlphaVantageClient, Timing
from .history import SeriesHistory, series_history

__all__ = ["AlphaVantageClient", "SeriesHistory", "Timing", "series_history"]
