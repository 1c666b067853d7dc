"""Sessions over the kernel: backtest, live, parity, statistics, reports. Feeds and stores are handed in; no I/O of its own."""
