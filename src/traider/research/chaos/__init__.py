"""Chaos: a strategy, the guard, the Coinbase client and the simulated exchange in one process on virtual time, and everything goes wrong.

A run is a function of its seed: what the market does, what fails when, and where the guard's process dies. What has to hold all the
same are the invariants of ``traider.guard.audit``.
"""
