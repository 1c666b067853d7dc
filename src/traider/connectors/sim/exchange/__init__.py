"""An exchange on this machine that speaks Coinbase Advanced Trade's protocol, and fails on request.

Inside, everything is whole numbers: prices are ticks, sizes are lots, money is atoms. The core (``exchange``, ``matching``, ``ledger``)
knows no socket and no clock of its own; ``server`` puts it on the network, ``control`` lets tests break it.
"""
