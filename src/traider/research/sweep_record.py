"""A sweep's record on disk: what it has found out, so that a sweep that was killed goes on where it was.

The file is JSON lines and only ever appended to. The first line says what the sweep is made of; a record of another
sweep is refused. Each finished group of trials is one write, made durable before the sweep counts on it. A process that is
killed while it writes leaves a last line without its end, which is dropped. Floats are written by their shortest text,
which is exact, so a continued sweep has the same result as one that was never interrupted.
"""

import fcntl
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import msgspec
import numpy as np

from traider.domain.errors import UserError
from traider.engine.overfitting import BLOCKS, MOMENTS
from traider.engine.trial import Outcome, Trial
from traider.kernel.kit import Value

VERSION = 1
_BEGIN = b'{"line":"sweep"'


class Head(msgspec.Struct, tag="sweep", tag_field="line", frozen=True, kw_only=True):
    """``made_of`` has a value for each part that decides the result: strategy, data, settings, search, permutations."""

    version: int = VERSION
    made_of: dict[str, object]


class TrialLine(msgspec.Struct, tag="trial", tag_field="line", frozen=True, kw_only=True):
    """A trial by its number, with the moments of its returns (``engine.overfitting``)."""

    number: int
    parameters: dict[str, Value]
    final_equity: float
    net_profit: float
    fills: int
    fees: float
    max_drawdown: float
    sharpe: float | None
    refusals: int
    periods: int
    period_sharpe: float
    skew: float
    kurtosis: float
    sums: list[float]
    squares: list[float]


class PermutationLine(msgspec.Struct, tag="permutation", tag_field="line", frozen=True, kw_only=True):
    """The objective's best value on the permuted data of this number; null where no trial had one."""

    number: int
    best: float | None


Line = Head | TrialLine | PermutationLine


class SweepRecord:
    """Open from ``open`` until ``close``, for one process at a time."""

    def __init__(self, fd: int, path: Path, name: str) -> None:
        self._fd, self._path, self._name = fd, path, name
        self._trials: dict[int, Outcome] = {}
        self._bests: dict[int, float] = {}

    @classmethod
    def open(cls, path: Path, made_of: Mapping[str, object], *, name: str) -> Self:
        """The record in this file, which is made where there is none; UserError when it is another sweep's, or in use.

        ``name`` is the setting that the path was given with.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise UserError(f"{name} {path}: can't be opened: {error.strerror}; choose another place") from None
        record = cls(fd, path, name)
        try:
            record._lock()
            record._load(msgspec.json.decode(msgspec.json.encode(made_of)))
        except BaseException:
            os.close(fd)
            raise
        return record

    @property
    def trials(self) -> int:
        """How many trials it holds."""
        return len(self._trials)

    def close(self) -> None:
        os.close(self._fd)

    def known(self, number: int) -> Outcome | None:
        return self._trials.get(number)

    def note(self, outcomes: Sequence[tuple[int, Outcome]]) -> None:
        self._append([_line(number, outcome) for number, outcome in outcomes])

    def known_best(self, number: int) -> float | None:
        return self._bests.get(number)

    def note_best(self, number: int, best: float) -> None:
        self._append([PermutationLine(number=number, best=best if np.isfinite(best) else None)])

    def _lock(self) -> None:
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise self._refused("another sweep is writing it; wait for that one, or give another file") from None

    def _load(self, made_of: dict[str, object]) -> None:
        text = _read_all(self._fd)
        lines = text.split(b"\n")
        torn = lines.pop()
        if not lines and not _BEGIN.startswith(torn[: len(_BEGIN)]):
            raise self._refused("is there and is no record of a sweep; give another file")
        if torn:
            os.ftruncate(self._fd, len(text) - len(torn))
        if not lines:
            self._append([Head(made_of=made_of)])
            return
        if not lines[0].startswith(_BEGIN):
            raise self._refused("is there and is no record of a sweep; give another file")
        decoder = msgspec.json.Decoder(Line)
        for number, line in enumerate(lines, start=1):
            try:
                self._take(decoder.decode(line), number, made_of)
            except msgspec.DecodeError as error:
                raise self._refused(f"line {number} is damaged ({error}); keep the lines before it, or give another file") from None

    def _take(self, line: Line, number: int, made_of: dict[str, object]) -> None:
        if isinstance(line, Head):
            self._compare(line, made_of)
        elif isinstance(line, PermutationLine):
            self._bests[line.number] = -np.inf if line.best is None else line.best
        else:
            self._trials[line.number] = _outcome(line)
        if isinstance(line, Head) != (number == 1):
            raise msgspec.DecodeError("the first line, and no other, says what the sweep is")

    def _compare(self, head: Head, made_of: dict[str, object]) -> None:
        if head.version != VERSION:
            raise UserError(
                f"{self._name} {self._path}: is of version {head.version}, and this traider writes {VERSION}; give another file"
            )
        differing = [part for part in {**made_of, **head.made_of} if head.made_of.get(part) != made_of.get(part)]
        if differing:
            verb = "differs" if len(differing) == 1 else "differ"
            raise self._refused(f"belongs to another sweep: {', '.join(differing)} {verb}; give another file, or ask for the same")

    def _refused(self, why: str) -> UserError:
        return UserError(f"{self._name} {self._path}: {why}")

    def _append(self, lines: Sequence[Line]) -> None:
        text = b"".join(msgspec.json.encode(line) + b"\n" for line in lines)
        try:
            while text:
                text = text[os.write(self._fd, text) :]
            os.fsync(self._fd)
        except OSError as error:
            raise UserError(
                f"{self._name} {self._path}: can't be written: {error.strerror}; make room and go on with the same file"
            ) from None


def _read_all(fd: int) -> bytes:
    return os.pread(fd, os.fstat(fd).st_size, 0)


def _line(number: int, outcome: Outcome) -> TrialLine:
    trial, moments = outcome.trial, outcome.moments[0]
    return TrialLine(
        number=number,
        parameters=trial.parameters,
        final_equity=trial.final_equity,
        net_profit=trial.net_profit,
        fills=trial.fills,
        fees=trial.fees,
        max_drawdown=trial.max_drawdown,
        sharpe=trial.sharpe,
        refusals=trial.refusals,
        periods=int(moments["periods"]),
        period_sharpe=float(moments["sharpe"]),
        skew=float(moments["skew"]),
        kurtosis=float(moments["kurtosis"]),
        sums=moments["sums"].tolist(),
        squares=moments["squares"].tolist(),
    )


def _outcome(line: TrialLine) -> Outcome:
    if len(line.sums) != BLOCKS or len(line.squares) != BLOCKS:
        raise msgspec.DecodeError(f"it has not {BLOCKS} blocks")
    moments = np.zeros(1, MOMENTS)
    moments[0] = (line.periods, line.period_sharpe, line.skew, line.kurtosis, line.sums, line.squares)
    trial = Trial(
        parameters=line.parameters,
        final_equity=line.final_equity,
        net_profit=line.net_profit,
        fills=line.fills,
        fees=line.fees,
        max_drawdown=line.max_drawdown,
        sharpe=line.sharpe,
        refusals=line.refusals,
    )
    return Outcome(trial, moments)
