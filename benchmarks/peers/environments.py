"""A virtual environment for each peer, made from its hash-pinned lock; nothing is downloaded again while that stays as it is."""

import functools
import hashlib
import re
import subprocess
import sys
import venv
from pathlib import Path

from ..page import ROOT

REQUIREMENTS = Path(__file__).with_name("requirements")
ENVIRONMENTS = ROOT / "build" / "peers"
PACKAGES = {
    "vectorbt": "vectorbt",
    "backtesting": "backtesting",
    "nautilus": "nautilus-trader",
    "backtrader": "backtrader",
    "hftbacktest": "hftbacktest",
}


class NotInstalledError(Exception):
    """A peer can't be had on this machine; the text says why, in one line."""


def version_of(peer: str) -> str:
    """The pinned version of the peer's own package."""
    lock = (REQUIREMENTS / f"{peer}.txt").read_text(encoding="utf-8")
    found = re.search(rf"^{PACKAGES[peer]}==([^ ]+)", lock, re.MULTILINE)
    if found is None:
        raise NotInstalledError(f"{PACKAGES[peer]} is not in its lock")
    return found.group(1)


@functools.cache
def interpreter(peer: str) -> Path:
    """The peer's own Python, with what its lock pins installed. NotInstalledError says why that can't be."""
    folder = ENVIRONMENTS / peer
    lock = REQUIREMENTS / f"{peer}.txt"
    stamp = folder / ".lock-sha256"
    digest = hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != digest or not python.exists():
        print(f"{peer} {version_of(peer)}: installing into {folder.relative_to(ROOT)}", file=sys.stderr, flush=True)
        venv.create(folder, clear=True, with_pip=True)
        command: list[str | Path] = [python, "-m", "pip", "install", "-q", "--require-hashes", "--requirement", lock]
        pip = subprocess.run(command, capture_output=True, text=True, check=False)
        if pip.returncode != 0:
            said = [line for line in pip.stderr.splitlines() if line.startswith("ERROR")] or pip.stderr.splitlines() or ["pip failed"]
            raise NotInstalledError(said[-1].removeprefix("ERROR: ").strip())
        stamp.write_text(digest, encoding="utf-8")
    return python
