"""What speaks for a strategy version before it may trade with money: findings of the checks, and a period on paper."""

from collections.abc import Mapping
from pathlib import Path
from typing import get_args

import msgspec

from traider.domain.session_record import Begun, Saw
from traider.engine.manifest import code_of
from traider.kernel.kit import Strategy, Value
from traider.research.evidence import Kind, changed_files, newest, read_evidence, version_of
from traider.storage.session_file import FOLDER, read_session

DAY_NS = 86_400_000_000_000
WORDS = {"lookahead": "look-ahead check", "parity": "parity check"}


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """``shown`` is for the person who decides, ``missing`` what has to be there and is not."""

    shown: tuple[str, ...]
    missing: tuple[str, ...]


def standing_of(strategy: type[Strategy], parameters: Mapping[str, Value], folder: Path, *, paper_days: float) -> Standing:
    """What there is about this version in the state directory ``folder``."""
    version = version_of(strategy, parameters)
    evidence = read_evidence(folder)
    shown: list[str] = []
    missing: list[str] = []
    for kind in get_args(Kind):
        words, found = WORDS[kind], newest(evidence, kind, version)
        shown.append(f"{words}: {'none of this version' if found is None else found.verdict}")
        if found is None or not found.passed or changed_files(found):
            missing.append(f"a {words} of this version that passed (traider verify {kind})")
    days = paper_ns(strategy, parameters, folder) / DAY_NS
    shown.append(f"on paper: {days:.1f} days of this version")
    if days < paper_days:
        missing.append(f"{paper_days:g} days on paper (LIVE_PAPER_DAYS), of which there are {days:.1f}")
    return Standing(shown=tuple(shown), missing=tuple(missing))


def paper_ns(strategy: type[Strategy], parameters: Mapping[str, Value], folder: Path) -> int:
    """For how long, by the market's time, recorded sessions of ``folder`` ran this version."""
    code = code_of(strategy)
    wanted = (code.strategy_sha256, code.kernel_sha256, dict(parameters))
    return sum(_length_ns(path, wanted) for path in sorted((folder / FOLDER).glob("*.jsonl")))


def _length_ns(path: Path, wanted: tuple[str, str, dict[str, Value]]) -> int:
    total, first, last, ours = 0, 0, 0, False
    for line in read_session(path):
        if isinstance(line, Begun):
            total, first, last = total + last - first, 0, 0
            ours = (line.code.get("strategy_sha256"), line.code.get("kernel_sha256"), line.values) == wanted
        elif isinstance(line, Saw) and ours:
            first, last = first or line.event.ts_ns, line.event.ts_ns
    return total + last - first
