"""A backtest as one self-contained HTML page: everything in it, nothing fetched; the caller writes it where it wants."""

from .candles import Candles, candles_of
from .context import ReportContext
from .page import render

__all__ = ["Candles", "ReportContext", "candles_of", "render"]
