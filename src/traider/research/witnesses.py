"""The processes that run a strategy for the look-ahead check, two at a time."""

import os
import queue
import secrets
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

import msgspec

from traider.domain.errors import TraiderError

from .changed_data import copies_in, tape_in
from .witness import Answer, Job, Settings

# A fork needs a process with one thread; and with one, sums of arrays are the same whatever else the machine does.
_ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
_HASH_SEEDS = ("1", "2")  # one a process: a strategy that goes through a set in its own order is found out as not repeatable


class Witnesses:
    """Two processes; ``run`` gives the answer of either, ``run_on_each`` one of each."""

    def __init__(self, processes: Sequence["_Process"]) -> None:
        self._processes = processes
        self._free: queue.SimpleQueue[_Process] = queue.SimpleQueue()
        for process in processes:
            self._free.put(process)

    def run(self, settings: Settings, folders: Sequence[Path], *, time_limit_s: int) -> Iterator[Answer]:
        """The answers of runs over what these folders hold (``changed_data``), in their order, as they come."""

        def one(folder: Path) -> Answer:
            process = self._free.get()
            try:
                return process.run(settings, folder, time_limit_s)
            finally:
                self._free.put(process)

        with ThreadPoolExecutor(len(self._processes)) as pool:
            yield from pool.map(one, folders)

    def run_on_each(self, settings: Settings, folders: Sequence[Path], *, time_limit_s: int) -> list[Answer]:
        """The answers of the first process over the first folder, of the second over the second."""
        with ThreadPoolExecutor(len(self._processes)) as pool:
            return list(pool.map(lambda process, folder: process.run(settings, folder, time_limit_s), self._processes, folders))


@contextmanager
def witnesses() -> Iterator[Witnesses]:
    """Starts the processes, and ends them."""
    processes = [_Process(seed) for seed in _HASH_SEEDS]
    try:
        yield Witnesses(processes)
    finally:
        for process in processes:
            process.end()


class _Process:
    def __init__(self, hash_seed: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "traider.research.witness"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, **_ONE_THREAD, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": _python_path()},
        )
        # Both were asked for.
        self._asks, self._answers = cast(IO[str], self._process.stdin), cast(IO[str], self._process.stdout)

    def run(self, settings: Settings, folder: Path, time_limit_s: int) -> Answer:
        path = folder / f"{secrets.token_hex(8)}.job"
        answer = path.with_suffix(".answer")
        copies = [str(copy) for copy in copies_in(folder, len(settings.data))]
        job = Job(
            settings=settings,
            tape=str(tape_in(folder)),
            copies=copies,
            answer=str(answer),
            time_limit_s=time_limit_s,
            sys_path=sys.path,
        )
        path.write_bytes(msgspec.json.encode(job))
        self._asks.write(f"{path}\n")
        self._asks.flush()
        status = self._answers.readline().strip()
        if status != "0" or not answer.exists():
            raise TraiderError(
                f"the strategy's process ended {_how(status, time_limit_s)} over {folder.name} data; run it with traider backtest"
            )
        found = msgspec.msgpack.decode(answer.read_bytes(), type=Answer)
        answer.unlink()
        return found

    def end(self) -> None:
        self._asks.close()
        self._answers.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _python_path() -> str:
    """Where this traider is, then what was there."""
    return os.pathsep.join(filter(None, (str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH"))))


def _how(status: str, time_limit_s: int) -> str:
    if status == "-14":
        return f"because it took more than {time_limit_s} s"
    return f"with status {status or 'unknown'} and without an answer"
