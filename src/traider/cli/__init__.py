"""The commands. Composes the rooms below; nobody imports it. ``main`` loads a command only when it is asked for."""
