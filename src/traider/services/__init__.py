"""Thin process mains. They meet only on the bus, the store and the guard's endpoint, and do not import one another."""
