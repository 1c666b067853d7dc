"""Research: a strategy, market data and settings put together into a run, for the command line and for notebooks alike.

``notebook`` is what ``traider.backtest`` gives; ``runs`` makes a run and repeats one from its manifest; ``inputs`` and
``amounts`` check what somebody asks for; ``tables`` has the results in columns.
"""
