"""Market data files, the state store's models and migrations, and the reads and writes on them."""
