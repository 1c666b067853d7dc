"""The vocabulary: instruments, orders, fills, positions, limits, events, errors and ports. No I/O, no clock."""
