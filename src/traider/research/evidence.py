"""What was proven of a version of a strategy, kept as files: what a person is shown before it may trade with money.

A version is the strategy's source, its parameters and the engine, by their hashes. A newer finding about a version stands
in place of an older one, so a check that fails takes the evidence away that an earlier one gave. Files that the strategy
read are listed with their hashes: a model that was fitted anew is another strategy, whatever its source says.
"""

import hashlib
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePath
from types import ModuleType
from typing import Literal

import msgspec

from traider.domain.errors import UserError
from traider.engine.manifest import code_of
from traider.kernel.kit import Strategy, Value

from .redirect import NOT_THE_AUTHORS

VERSION = 1
FOLDER = "evidence"
Kind = Literal["lookahead", "parity"]


class StrategyVersion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What has to be the same for a finding to be about it."""

    strategy_sha256: str  # of its source file, and of the author's modules that it uses
    kernel_sha256: str  # of the engine and what it is compiled with
    parameters: dict[str, Value]


class Evidence(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One finding: which check, of what, on which data, when, and what came out.

    ``settings`` are those of the check, ``finding`` what it says in words. ``made_ns`` is UTC.
    """

    evidence: int = VERSION
    kind: Kind
    strategy: str  # as it was named on the command line
    version: StrategyVersion
    traider: str
    data_sha256: str
    settings: dict[str, str | int | float | list[str]]
    passed: bool
    verdict: str
    finding: str
    files: dict[str, str] = {}  # SHA-256 by path, of what the strategy read beside the market data
    made_ns: int

    def file_name(self) -> str:
        """One of its own for each finding."""
        name = PurePath(self.strategy.rpartition(":")[2]).name
        return f"{self.kind}-{name}-{hashlib.sha256(msgspec.json.encode(self)).hexdigest()[:12]}.json"


def version_of(strategy: type[Strategy], parameters: Mapping[str, Value]) -> StrategyVersion:
    """The version that would run now; ``parameters`` are all of them."""
    code = code_of(strategy)
    digest = hashlib.sha256(code.strategy_sha256.encode())
    for path in _used(strategy):
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return StrategyVersion(strategy_sha256=digest.hexdigest(), kernel_sha256=code.kernel_sha256, parameters=dict(parameters))


def _used(strategy: type[Strategy]) -> list[Path]:
    """The files of the author's modules that the strategy's module uses, and those that they use, in a stable order."""
    waiting, seen = [strategy.__module__], {strategy.__module__}
    while waiting:
        for value in list(vars(sys.modules[waiting.pop()]).values()):
            name = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
            if isinstance(name, str) and name not in seen and name in sys.modules and _is_authors(sys.modules[name]):
                seen.add(name)
                waiting.append(name)
    return sorted(Path(str(sys.modules[name].__file__)) for name in seen - {strategy.__module__})


def _is_authors(module: ModuleType) -> bool:
    """Neither traider's, whose engine has a hash of its own, nor a library's."""
    file = getattr(module, "__file__", None)
    return file is not None and file.endswith(".py") and not file.startswith(NOT_THE_AUTHORS)


def hashes_of(files: Iterable[str]) -> dict[str, str]:
    """The SHA-256 of each of these files that can be read."""
    return {file: hashlib.sha256(Path(file).read_bytes()).hexdigest() for file in files if Path(file).is_file()}


def changed_files(evidence: Evidence) -> list[str]:
    """Those of the files the strategy read that are not what they were; then the evidence is of another strategy."""
    now = hashes_of(evidence.files)
    return [file for file, sha256 in evidence.files.items() if now.get(file) != sha256]


def write_evidence(state_dir: Path, evidence: Evidence) -> Path:
    """Writes it as JSON that a person can read, whole or not at all, and says where; OSError if it can't be written."""
    path = state_dir / FOLDER / evidence.file_name()
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".tmp")
    draft.write_bytes(msgspec.json.format(msgspec.json.encode(evidence), indent=2) + b"\n")
    draft.replace(path)
    return path


def read_evidence(state_dir: Path) -> list[Evidence]:
    """All that there is, the oldest first. UserError for a file that can't be read: what it says might be that a check failed."""
    found = [_read(path) for path in sorted((state_dir / FOLDER).glob("*.json"))]
    return sorted(found, key=lambda evidence: evidence.made_ns)


def _read(path: Path) -> Evidence:
    try:
        evidence = msgspec.json.decode(path.read_bytes(), type=Evidence)
    except OSError as error:
        raise UserError(f"{path}: can't be read: {error.strerror}; mend that, or delete the file and run the check again") from None
    except msgspec.DecodeError as error:
        raise UserError(f"{path}: is no evidence of a check: {error}; delete the file and run the check again") from None
    if evidence.evidence != VERSION:
        raise UserError(
            f"{path}: is of version {evidence.evidence}, and this traider reads version {VERSION}; delete the file and run the check again"
        )
    return evidence


def newest(evidence: Iterable[Evidence], kind: Kind, version: StrategyVersion) -> Evidence | None:
    """The last finding of this kind about this version, whether it passed or not; None if there is none."""
    about = [one for one in evidence if one.kind == kind and one.version == version]
    return max(about, key=lambda one: one.made_ns, default=None)
