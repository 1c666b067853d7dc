"""Settings that single instruments have of their own: fees, minimums, margins, a size increment.

``name`` is how whoever asks calls the setting: ``instruments`` in a notebook, ``--instrument`` on the command line.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation

import msgspec

from traider.domain.errors import SettingsError
from traider.domain.instruments import Instrument

EVERY = "*"  # stands for all instruments
_MARGINS = ("initial_margin", "maintenance_margin")
_FEE = (lambda value: -1 < value < 1, "a fraction of the notional between -1 and 1 (0.001 is 0.1 %; below 0 is a rebate)")
_MARGIN = (lambda value: 0 < value <= 1, "a fraction of the notional above 0, up to 1")
_RANGES: dict[str, tuple[Callable[[Decimal], bool], str]] = {
    "size_increment": (lambda value: value > 0, "a decimal above zero"),
    "min_size": (lambda value: value >= 0, "a decimal of at least 0"),
    "min_notional": (lambda value: value >= 0, "a decimal of at least 0"),
    "maker_fee": _FEE,
    "taker_fee": _FEE,
    "initial_margin": _MARGIN,
    "maintenance_margin": _MARGIN,
}
SETTINGS = tuple(_RANGES)

InstrumentSettings = Mapping[str, Mapping[str, Decimal]]  # by symbol or EVERY, then by the setting's name


def parse_settings(texts: Iterable[str], name: str = "--instrument") -> dict[str, dict[str, Decimal]]:
    """``SYMBOL.NAME=VALUE``, and ``NAME=VALUE`` for every instrument."""
    found: dict[str, dict[str, Decimal]] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        symbol, _, setting = key.strip().rpartition(".")
        if not equals:
            raise SettingsError(
                f"{name} {text}: write SYMBOL.NAME=VALUE, for example BTC-USD.min_notional=1, or NAME=VALUE for every instrument"
            )
        of_symbol = found.setdefault(symbol or EVERY, {})
        if setting in of_symbol:
            raise SettingsError(f"{name} {key.strip()} is given twice; give it once")
        of_symbol[setting] = _checked(f"{name} {text}", setting, value.strip())
    return found


def read_settings(asked: Mapping[str, Mapping[str, object]] | None, name: str = "instruments") -> dict[str, dict[str, Decimal]]:
    """The same of a notebook's dictionary: ``{"BTC-USD": {"taker_fee": 0.001}, "*": {"min_notional": 1}}``."""
    return {
        symbol: {setting: _checked(f"{name}: {symbol}.{setting} {value}", setting, str(value)) for setting, value in settings.items()}
        for symbol, settings in (asked or {}).items()
    }


def with_settings(instruments: Sequence[Instrument], settings: InstrumentSettings, name: str) -> tuple[Instrument, ...]:
    """The instruments with what was asked for; what is said of one by name goes before what is said of all."""
    symbols = [instrument.symbol for instrument in instruments]
    unknown = next((symbol for symbol in settings if symbol != EVERY and symbol not in symbols), None)
    if unknown is not None:
        raise SettingsError(f"{name}: the data hold {', '.join(symbols)}, and no {unknown}; give one of these")
    return tuple(_with(instrument, {**settings.get(EVERY, {}), **settings.get(instrument.symbol, {})}, name) for instrument in instruments)


def _with(instrument: Instrument, settings: Mapping[str, Decimal], name: str) -> Instrument:
    if not instrument.initial_margin and any(setting in _MARGINS for setting in settings):
        raise SettingsError(f"{name}: {instrument.symbol} is held on spot, which has no margin; give the market margin, or leave it out")
    changed = msgspec.structs.replace(instrument, **settings)
    if changed.maintenance_margin > changed.initial_margin:
        raise SettingsError(
            f"{name}: {instrument.symbol} has a maintenance margin of {changed.maintenance_margin:f}, above the initial margin of "
            f"{changed.initial_margin:f}; give at most that"
        )
    return changed


def _checked(what: str, setting: str, text: str) -> Decimal:
    if setting not in SETTINGS:
        raise SettingsError(f"{what}: {setting or 'nothing'} is not a setting of an instrument; give one of {', '.join(SETTINGS)}")
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise SettingsError(f"{what}: {text!r} is not a decimal; give one such as 0.001") from None
    if not value.is_finite() or not _RANGES[setting][0](value):
        raise SettingsError(f"{what}: give {_RANGES[setting][1]}")
    return value
