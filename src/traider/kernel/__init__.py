"""The compiled core: record layouts, matching, portfolio, risk check, indicators and the author's kit. No I/O, no clock."""
