"""traider: one strategy class, backtested at machine-code speed, on paper and live.

The rooms of the house are described in ``docs/architecture.md``. Names are handed on lazily, so that
``import traider`` costs next to nothing.
"""

__version__ = "0.1.0"
