"""The built-in strategies, as plain classes over the author's kit."""
