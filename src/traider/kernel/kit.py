"""The author's kit: the base class of strategies and their parameters.

    class SmaCross(Strategy):
        fast: int = param(20, low=1, high=100_000)

        def setup(self) -> None:
            self.fast_mean = Sma(self.fast)

        def on_bar(self, bar: Bar, ctx: Context) -> None:
            ...

``setup`` runs once, as ordinary Python; what it puts on ``self`` is the strategy's state. The handlers run compiled, or
interpreted as they stand; both give the same orders. Handlers: ``on_bar``, ``on_trade``, ``on_quote``, ``on_book``,
``on_timer``, ``on_fill``.
"""

import inspect
import math
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, get_type_hints

from ..domain.errors import StrategyError
from ..domain.instruments import Instrument
from .indicators import Indicator
from .structs import Stateful

HANDLERS = ("on_bar", "on_trade", "on_quote", "on_book", "on_timer", "on_fill")
MARKET_HANDLERS = ("on_bar", "on_trade", "on_quote", "on_book")
Value = int | float | bool


@dataclass(frozen=True)
class Parameter:
    """One parameter of a strategy: its default and the range that it may take, both ends included."""

    default: Value
    low: float
    high: float
    help: str
    name: str = ""
    type: type = float

    def parse(self, value: object) -> Value:
        """The value in the parameter's type; StrategyError when it isn't one, or out of range."""
        word = {int: "a whole number", float: "a number", bool: "true or false"}[self.type]
        ends = ""
        if math.isfinite(self.low) or math.isfinite(self.high):
            ends = f" from {self.low:g} to {self.high:g}" if math.isfinite(self.high) else f" of at least {self.low:g}"
        try:
            parsed = _convert(value, self.type)
        except (LookupError, OverflowError, TypeError, ValueError):
            raise StrategyError(f"parameter {self.name}: {value!r} is not {word}") from None
        fits = math.isfinite(parsed) if isinstance(parsed, float) else -(2**63) <= parsed < 2**63
        if not fits or not self.low <= parsed <= self.high:
            raise StrategyError(f"parameter {self.name}: {parsed} is out of range; give {word}{ends}")
        return parsed


def _convert(value: object, to: type) -> Value:
    if to is bool:
        if isinstance(value, bool):
            return value
        return {"true": True, "1": True, "false": False, "0": False}[str(value).lower()]
    if isinstance(value, bool):
        raise ValueError
    if to is int:
        if isinstance(value, float) and not value.is_integer():
            raise ValueError
        return int(value)  # type: ignore[call-overload,no-any-return]  # str, int or float by now
    return float(value)  # type: ignore[arg-type]


def param(default: Value, *, low: float = -math.inf, high: float = math.inf, help: str = "") -> Any:
    """Declares a parameter: ``fast: int = param(20, low=1, high=500)``."""
    return Parameter(default=default, low=low, high=high, help=help)


class Strategy(Stateful):
    """Base class of strategies. ``quantity`` is the size that one entry has, in base currency.

    ``market`` is ``spot``, or ``margin`` for a strategy that sells what it does not hold; whoever runs it may choose another.
    """

    name: ClassVar[str] = ""
    market: ClassVar[str] = "spot"
    parameters: ClassVar[Mapping[str, Parameter]] = {}
    quantity: float = param(1.0, low=0.0, help="size of one entry, in base currency")

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.name = cls.__dict__.get("name") or _snake(cls.__name__)
        declared: dict[str, Parameter] = {}
        for base in reversed(cls.__mro__):
            for attribute, value in vars(base).items():
                if isinstance(value, Parameter):
                    hint = _hints(cls).get(attribute)
                    if hint not in (int, float, bool):
                        raise StrategyError(f"{cls.__qualname__}.{attribute}: a parameter is annotated int, float or bool")
                    declared[attribute] = Parameter(value.default, value.low, value.high, value.help, attribute, hint)
        cls.parameters = declared
        _refuse_generators(cls)

    def __init__(self, **values: Any) -> None:
        unknown = [name for name in values if name not in self.parameters]
        if unknown:
            known = ", ".join(self.parameters)
            raise StrategyError(f"strategy {self.name} has no parameter {unknown[0]}; it has: {known}")
        for name, parameter in self.parameters.items():
            setattr(self, name, parameter.parse(values.get(name, parameter.default)))
        try:
            self.setup()
        except StrategyError:
            raise
        except Exception as error:  # an author's code may raise anything
            line = traceback.extract_tb(error.__traceback__)[-1]
            raise StrategyError(
                f"strategy {self.name}: setup() failed: {type(error).__name__}: {error}; {line.filename}:{line.lineno}"
            ) from error

    def setup(self) -> None:
        """Makes the state: indicators, counters, arrays. Runs once, as ordinary Python."""

    @classmethod
    def handlers(cls) -> tuple[str, ...]:
        """The names of the handlers that this class has."""
        return tuple(name for name in HANDLERS if callable(getattr(cls, name, None)))

    def values(self) -> dict[str, Value]:
        """The parameters' values."""
        return {name: getattr(self, name) for name in self.parameters}


def _hints(cls: type) -> dict[str, Any]:
    try:
        return get_type_hints(cls)
    except NameError as error:
        raise StrategyError(
            f"{cls.__qualname__}: an annotation names {error.name}, which is not there when the strategy runs: import it for real"
        ) from None


def _refuse_generators(cls: type) -> None:
    """A handler that yields or awaits would be called and never run, compiled or not."""
    for name in HANDLERS:
        handler = vars(cls).get(name)
        if inspect.isgeneratorfunction(handler) or inspect.iscoroutinefunction(handler) or inspect.isasyncgenfunction(handler):
            code = handler.__code__
            raise StrategyError(
                f"{code.co_filename}:{code.co_firstlineno}: {name} yields or awaits, so it would never run; let it run to its end"
            )


def bind(strategy: Strategy, instrument: Instrument) -> None:
    """Tells every indicator of the strategy which instrument's prices it will see."""
    _bind(strategy, instrument)


def _bind(part: Stateful, instrument: Instrument) -> None:
    if isinstance(part, Indicator):
        part.__bind__(instrument)
    for value in vars(part).values():
        if isinstance(value, Stateful):
            _bind(value, instrument)


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(name))
