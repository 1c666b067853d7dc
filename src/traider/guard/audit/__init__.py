"""What has to hold between a guard and its exchange, whatever goes wrong: the invariants, checked from outside against the truth."""
