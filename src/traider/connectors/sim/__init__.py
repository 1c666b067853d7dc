"""Markets without an exchange: recorded ones, replayed, and made-up ones, the same for the same seed."""
