"""Does a strategy know the future? Its decisions on the recorded market are compared with those on markets of another future.

``futures`` makes the other futures, ``watch`` writes down what a strategy asks for, ``traces`` finds the first decision that
differs, ``memory`` tells a strategy that trades the recorded market while it is shown another, ``state`` says what in its
memory differs. Nothing here reads or writes a file: ``traider.research.lookahead`` does. The reasons are in ADR 28.
"""
