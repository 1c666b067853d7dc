"""A backtest as one self-contained HTML page: everything in it, nothing fetched; the caller writes it where it wants.

``page`` renders it and brings its template engine with it, so that it is imported where a page is asked for; ``candles``, ``words``
and ``fidelity`` serve others too.
"""
