"""traider: one strategy class, backtested at machine-code speed, on paper and live.

What a strategy's author needs is here, and ``backtest``, ``sweep`` and ``walkforward``, which run one from Python. Each is
loaded when it is first asked for, so that ``import traider`` costs next to nothing. The rooms of the house are
described in ``docs/architecture.md``.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .kernel.events import Bar as Bar
    from .kernel.events import Fill as Fill
    from .kernel.events import Trade as Trade
    from .kernel.indicators import Atr as Atr
    from .kernel.indicators import Ema as Ema
    from .kernel.indicators import Indicator as Indicator
    from .kernel.indicators import Sma as Sma
    from .kernel.indicators import Std as Std
    from .kernel.interpreter import Context as Context
    from .kernel.kit import Strategy as Strategy
    from .kernel.kit import param as param
    from .kernel.structs import Stateful as Stateful
    from .research.notebook import Backtest as Backtest
    from .research.notebook import backtest as backtest
    from .research.notebook_sweeps import SweepRun as SweepRun
    from .research.notebook_sweeps import WalkForwardRun as WalkForwardRun
    from .research.notebook_sweeps import sweep as sweep
    from .research.notebook_sweeps import walkforward as walkforward

__version__ = "0.1.0"

_HOMES = {
    "Atr": "kernel.indicators",
    "Backtest": "research.notebook",
    "Bar": "kernel.events",
    "Context": "kernel.interpreter",
    "Ema": "kernel.indicators",
    "Fill": "kernel.events",
    "Indicator": "kernel.indicators",
    "Sma": "kernel.indicators",
    "Stateful": "kernel.structs",
    "Std": "kernel.indicators",
    "Strategy": "kernel.kit",
    "SweepRun": "research.notebook_sweeps",
    "Trade": "kernel.events",
    "WalkForwardRun": "research.notebook_sweeps",
    "backtest": "research.notebook",
    "param": "kernel.kit",
    "sweep": "research.notebook_sweeps",
    "walkforward": "research.notebook_sweeps",
}

__all__ = [*_HOMES, "__version__"]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'traider' has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
