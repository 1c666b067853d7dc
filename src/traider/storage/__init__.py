"""What is kept: the SQL store that follows the guard's journal, its migrations and reads; market data files.

Import the module you need (``engine``, ``projection``, ``repository``, ``access``, ``market``). Nothing is imported here,
so that reading a market file does not load the SQL libraries.
"""
