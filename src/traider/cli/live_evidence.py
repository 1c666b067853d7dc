"""What speaks for a strategy version before it may trade with money: findings of the checks, and a period on paper."""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from traider.domain.errors import UserError
from traider.domain.session_record import Begun, Saw
from traider.engine.manifest import code_of
from traider.kernel.kit import Strategy, Value
from traider.storage.session_file import FOLDER, read_session

DAY_NS = 86_400_000_000_000
CHECKS = {"lookahead": "look-ahead check", "parity": "parity check"}


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """What has to be the same for something to be about this strategy."""

    strategy_sha256: str
    kernel_sha256: str
    parameters: dict[str, Value]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """As the checks write it beside the state; what else a file says is passed over."""

    kind: str
    version: Version
    passed: bool
    verdict: str
    made_ns: int


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """``shown`` is for the person who decides, ``missing`` what has to be there and is not."""

    shown: tuple[str, ...]
    missing: tuple[str, ...]


def version_of(strategy: type[Strategy], parameters: Mapping[str, Value]) -> Version:
    """The version that would trade."""
    code = code_of(strategy)
    digest = hashlib.sha256(code.strategy_sha256.encode()).hexdigest()
    return Version(strategy_sha256=digest, kernel_sha256=code.kernel_sha256, parameters=dict(parameters))


def evidence_for(strategy: type[Strategy], parameters: Mapping[str, Value], folder: Path, *, paper_days: float) -> Evidence:
    """What there is about this version in the state directory ``folder``."""
    version = version_of(strategy, parameters)
    findings = [finding for finding in _findings(folder) if finding.version == version]
    shown, missing = [], []
    for kind, words in CHECKS.items():
        newest = max((finding for finding in findings if finding.kind == kind), key=lambda finding: finding.made_ns, default=None)
        shown.append(f"{words}: {'none of this version' if newest is None else newest.verdict}")
        if newest is None or not newest.passed:
            missing.append(f"a {words} of this version that passed (traider verify {kind})")
    days = paper_ns(strategy, parameters, folder) / DAY_NS
    shown.append(f"on paper: {days:.1f} days of this version")
    if days < paper_days:
        missing.append(f"{paper_days:g} days on paper (LIVE_PAPER_DAYS), of which there are {days:.1f}")
    return Evidence(shown=tuple(shown), missing=tuple(missing))


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


def _findings(folder: Path) -> Iterator[Finding]:
    for path in sorted((folder / "evidence").glob("*.json")):
        try:
            yield msgspec.json.decode(path.read_bytes(), type=Finding)
        except (OSError, msgspec.DecodeError) as error:
            raise UserError(f"{path}: is no evidence of a check ({error}); delete it and run the check again") from None
