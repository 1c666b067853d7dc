"""The HTTP face: login, what the account looks like, the kill switch, the live stream, and the built dashboard.

It reads the store and the bus, and asks the guard through a port; it never trades. The app is made by
``traider.api.app.create_app``; nothing is imported here, so that ``import traider.api`` costs nothing.
"""
