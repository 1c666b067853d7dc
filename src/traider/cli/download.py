"""``traider download``: bars of the past from a provider of market data, as a file that ``traider backtest --data`` reads."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from traider.connectors.alphavantage import AlphaVantageClient, Timing, series_history
from traider.connectors.alphavantage.history import SPANS_S
from traider.connectors.alphavantage.read_series import NEW_YORK
from traider.connectors.coinbase import options_from
from traider.connectors.coinbase.history import candle_history
from traider.connectors.coinbase.market_calls import GRANULARITIES_S
from traider.domain.errors import SettingsError
from traider.runtime.clock import SystemClock
from traider.runtime.settings import load_settings

from .downloading import Wanted, download, span_text

_PRODUCT = re.compile(r"[A-Z0-9]{1,20}-[A-Z0-9]{1,20}")
_SYMBOL = re.compile(r"[A-Z0-9^][A-Z0-9.^-]{0,19}")
_SPAN = re.compile(r"([1-9][0-9]{0,4})([mhd])")
_UNITS_S = {"m": 60, "h": 3600, "d": 86_400}
_MONTH_NS = 30 * 86_400 * 10**9

To = Annotated[str | None, typer.Option("--to", help="The first moment that is not wanted. [default: now]")]
Out = Annotated[Path | None, typer.Option(help="The file. [default: named after what is in it, in the working directory]")]
Force = Annotated[bool, typer.Option("--force", help="Replace the file; without it, what is missing is added.")]


def coinbase(
    product: Annotated[str, typer.Argument(help="BASE-QUOTE, for example BTC-USD.")],
    from_: Annotated[str, typer.Option("--from", help="A date, or a time such as 2026-01-01T12:30; UTC.")],
    bars: Annotated[str, typer.Option(help="1m, 5m, 15m, 30m, 1h, 2h, 4h, 6h or 1d.")] = "1m",
    to: To = None,
    out: Out = None,
    force: Force = False,
) -> int:
    """Download candles of Coinbase, without a key. A file that is there already is extended by what is missing."""
    symbol = product.upper()
    if not _PRODUCT.fullmatch(symbol):
        raise SettingsError(f"{product} is no product; write BASE-QUOTE, for example BTC-USD")
    span_s = _span_s(bars, tuple(GRANULARITIES_S))
    wanted = _wanted(from_, to, ZoneInfo("UTC"), out, f"{symbol.lower()}_{span_text(span_s)}", force=force)
    options = options_from(load_settings().coinbase)
    return download(candle_history(symbol, span_s, options, SystemClock()), wanted, absent="nothing was traded then")


def alphavantage(
    symbol: Annotated[str, typer.Argument(help="As Alpha Vantage writes it, for example SPY.")],
    bars: Annotated[str, typer.Option(help="1m, 5m, 15m, 30m, 60m or 1d.")] = "1d",
    from_: Annotated[
        str | None,
        typer.Option("--from", help="A date or a time, New York's. [default: everything; of minutes 30 days]"),
    ] = None,
    to: To = None,
    adjusted: Annotated[bool, typer.Option("--adjusted", help="Prices adjusted for splits and dividends. [default: as traded]")] = False,
    extended_hours: Annotated[bool, typer.Option("--extended-hours", help="Of minutes: 04:00 to 20:00, not 09:30 to 16:00.")] = False,
    out: Out = None,
    force: Force = False,
) -> int:
    """Download bars of shares from Alpha Vantage, with the key in ALPHAVANTAGE_API_KEY. A file that is there already is extended."""
    name = symbol.upper()
    if not _SYMBOL.fullmatch(name):
        raise SettingsError(f"{symbol} is no symbol; write it as Alpha Vantage does, for example SPY")
    span_s = _span_s(bars, SPANS_S)
    by_day = span_s == _UNITS_S["d"]
    if by_day and extended_hours:
        raise SettingsError("--extended-hours is of bars of minutes; a day's bar is of the regular hours")
    words = [span_text(span_s), *(["adjusted"] if adjusted else []), *(["extended"] if extended_hours else [])]
    wanted = _wanted(from_, to, NEW_YORK, out, "_".join([name.lower(), *words]), force=force, default_ns=0 if by_day else None)
    settings = load_settings().alphavantage
    if settings.api_key is None:
        raise SettingsError("Alpha Vantage answers nobody without a key: set ALPHAVANTAGE_API_KEY to yours")
    timing = Timing(requests_per_minute=settings.requests_per_minute)
    client = AlphaVantageClient(settings.url, settings.api_key.get_secret_value(), timing)
    history = series_history(client, SystemClock(), symbol=name, span_s=span_s, adjusted=adjusted, extended_hours=extended_hours)
    return download(history, wanted, absent="Alpha Vantage has none, and no holiday is known")


def _span_s(text: str, allowed: tuple[int, ...]) -> int:
    match = _SPAN.fullmatch(text)
    seconds = int(match[1]) * _UNITS_S[match[2]] if match else 0
    if seconds not in allowed:
        raise SettingsError(f"--bars {text}: there are bars of {', '.join(map(span_text, allowed))}")
    return seconds


def _wanted(
    from_: str | None, to: str | None, zone: ZoneInfo, out: Path | None, name: str, *, force: bool, default_ns: int | None = None
) -> Wanted:
    now_ns = SystemClock().now_ns()
    first_ns = _moment_ns("--from", from_, zone, now_ns) if from_ is not None else now_ns - _MONTH_NS if default_ns is None else default_ns
    end_ns = None if to is None else _moment_ns("--to", to, zone, now_ns)
    if end_ns is not None and end_ns <= first_ns:
        raise SettingsError(f"--to {to} is not after --from {from_ or 'which was left out'}")
    path = out if out is not None else Path(f"{name}.parquet")
    if path.suffix.lower() != ".parquet" or path.is_dir():
        raise SettingsError(f"--out {path}: give the name of a file that ends in .parquet")
    return Wanted(first_ns, end_ns, path, force)


def _moment_ns(option: str, text: str, zone: ZoneInfo, now_ns: int) -> int:
    """A date is its first moment in the zone, in which a time is that has none of its own."""
    try:
        moment = datetime.fromisoformat(text)
        local = moment.replace(tzinfo=zone) if moment.tzinfo is None else moment
        seconds = int(local.astimezone(UTC).timestamp())
    except (ValueError, OverflowError):
        raise SettingsError(f"{option} {text}: write a date such as 2026-01-31, or a time such as 2026-01-31T09:30") from None
    if seconds < 0:
        raise SettingsError(f"{option} {text}: is before 1970")
    if seconds * 10**9 > now_ns:
        remedy = "leave it out for everything up to now" if option == "--to" else "give a day that has been"
        raise SettingsError(f"{option} {text}: lies in the future; {remedy}")
    return seconds * 10**9
