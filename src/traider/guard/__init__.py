"""The risk guard's logic: approval, journal, recovery, kill switch. It alone may place an order."""
