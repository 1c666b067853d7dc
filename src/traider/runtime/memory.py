"""How much memory this process has had."""

import resource
import sys
from pathlib import Path


def peak_rss_bytes() -> int:
    """The most resident memory since this program began.

    On Linux from /proc: ``getrusage`` counts what the parent had when it started this process, too (getrusage(2), execve(2)).
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next((line for line in status.read_text("ascii").splitlines() if line.startswith("VmHWM:")), None)
        if line is not None:
            return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # bytes there, KiB elsewhere
