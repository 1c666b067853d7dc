"""What traider costs in time and memory: one module for each question, each runnable by itself.

``python -m benchmarks`` asks them all and writes ``docs/benchmarks.md``; ``python -m benchmarks.bars`` asks one. A case is a
function that does the work once and tells what it took; each run of a case is a process of its own, and the cases of one
question take turns, so that they share the machine's good and bad minutes.
"""
