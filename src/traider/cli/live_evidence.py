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
LONGEST_NS = DAY_NS // 24  # from one market event to the next, while a session runs
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
    """For how long recorded sessions of ``folder`` ran this version on a market that played by itself.

    A replay is none, however long ago it happened, and time at which nothing was seen for more than ``LONGEST_NS`` is none: then it did
    not run.
    """
    code = code_of(strategy)
    wanted = (code.strategy_sha256, code.kernel_sha256, dict(parameters))
    return sum(_length_ns(path, wanted) for path in sorted((folder / FOLDER).glob("*.jsonl")))


def _length_ns(path: Path, wanted: tuple[str, str, dict[str, Value]]) -> int:
    total, last, ours = 0, 0, False
    for line in read_session(path):
        if isinstance(line, Begun):
            last = 0
            ours = (line.code.get("strategy_sha256"), line.code.get("kernel_sha256"), line.values) == wanted
        elif isinstance(line, Saw) and ours and line.event.received_ts_ns:  # a replay receives nothing
            now = line.event.received_ts_ns
            total += now - last if last and 0 < now - last <= LONGEST_NS else 0
            last = now
    return total
