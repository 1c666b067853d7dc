"""Research: a strategy, market data and settings put together into a run, for the command line and for notebooks alike.

``notebook`` is what ``traider.backtest`` gives, ``notebook_sweeps`` what its siblings do; ``runs`` makes a run and repeats one
from its manifest; ``sweeps`` makes a sweep, with the sets of a ``search_plan`` and a ``sweep_record`` to go on from. ``asked``,
``inputs`` and ``amounts`` check what somebody asks for; ``tables`` and ``plot`` have the results in columns and pictures.

``lookahead`` is the look-ahead check: it takes the data as one stream (``recorded``), writes copies of
them (``changed_data``), asks ``witnesses`` to run the strategy over
them, each a process of ``witness`` in which ``redirect`` leads reads to the copy, and judges. ``hints`` names suspicious lines.
``evidence`` keeps what the checks found.
"""
