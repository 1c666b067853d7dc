"""One folder for each source of market data or venue: wire shapes, pure parsing, feed, venue."""
