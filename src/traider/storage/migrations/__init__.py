"""The store's migrations, run by ``traider.storage.migrate`` at every start. A new one: ``traider.storage.revision``."""
