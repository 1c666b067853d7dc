"""The guard of an account on an exchange: what it knows is what it has journalled and what the exchange has told.

``core`` decides, one synchronous step at a time; ``pilot`` waits and asks. Neither knows which exchange it is: that is the
``Venue`` of ``traider.domain.venue``.
"""
