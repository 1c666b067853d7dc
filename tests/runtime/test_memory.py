"""The peak of this program's memory."""

import subprocess
import sys

ASKED = "from traider.runtime.memory import peak_rss_bytes; {}print(peak_rss_bytes())"


def peak_of(work: str = "") -> int:
    return int(subprocess.run([sys.executable, "-c", ASKED.format(work)], capture_output=True, text=True, check=True).stdout)


def test_what_was_held_once_counts() -> None:
    """The 200 MB are written to, so that they are resident, and let go."""
    assert peak_of("held = b'1' * 200_000_000; del held; ") - peak_of() > 180_000_000


def test_what_the_parent_holds_does_not_count() -> None:
    """``getrusage`` would say what the starting process had."""
    held = b"1" * 300_000_000
    assert peak_of() < 200_000_000 < len(held)
