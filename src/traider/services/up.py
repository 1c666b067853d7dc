"""``traider up``: the guard as a process of its own, looked after, and everything else as tasks of this one's event loop.

When this process is gone, the guard stays: what it knows is in its journal, it only isn't fed any more. The next ``up`` on the same
state directory ends it and starts its own, which reads the journal. That is the same way as after a crash, so it is tried often, and
limits given to the new ``up`` hold without a word to the old guard. A guard that was started by hand is not touched.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager, suppress
from pathlib import Path

from structlog import get_logger

from traider.domain.errors import TraiderError, UserError
from traider.guard.journal import lock_path
from traider.guard.lock import Lock, holder
from traider.guard.place import ENDPOINT, JOURNAL, make_directory

log = get_logger("traider.up")

LOCK = "up.lock"
START_S = 180.0  # the first start on a machine compiles the kernel
STOP_S = 10.0
RESTART_S = (0.0, 0.1, 0.5, 1.0, 2.0, 5.0)
STEADY_S = 30.0  # a guard that has run so long, or has written to its journal, starts over at no wait
GIVE_UP_AFTER = 6  # deaths in a row
_POLL_S = 0.02

Part = Callable[[], Awaitable[None]]


class GuardKilledError(TraiderError):
    """The guard was ended from outside while it was starting."""


class GuardProcess:
    """The guard's process: started, watched, started again when it dies, stopped."""

    def __init__(self, arguments: Sequence[str], *, state_dir: Path, environment: Mapping[str, str] | None = None) -> None:
        self._command = (sys.executable, "-m", "traider.cli.main", "guard", "--parent", str(os.getpid()), *arguments)
        self._state_dir = state_dir
        self._environment = environment
        self._process: asyncio.subprocess.Process | None = None
        self._started_s = 0.0
        self._journal_bytes = 0

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    async def start(self) -> None:
        """Returns when the guard listens. ``TraiderError`` when it ended instead; it has said why on stderr."""
        await self.spawn()
        await self.listening()

    async def spawn(self) -> None:
        """Starts the process, and does not wait for it."""
        _forget(self._state_dir / ENDPOINT)
        self._started_s = asyncio.get_running_loop().time()
        self._journal_bytes = self._journal_size()
        # Ctrl-C in a terminal goes to every process of its group: the guard is to be stopped by us, after the trader.
        self._process = await asyncio.create_subprocess_exec(
            *self._command, env=self._environment, stdin=asyncio.subprocess.DEVNULL, start_new_session=True
        )

    async def listening(self) -> None:
        """Returns when it listens; see ``start``."""
        process = self._process
        while process is not None and not self._is_listening(process.pid):
            status = process.returncode
            if status is not None:
                if status < 0:
                    raise GuardKilledError(f"the guard was ended by {signal.Signals(-status).name} before it listened: start again")
                told = f"the guard did not start (exit status {status}); its message is above"
                raise UserError(told) if status == 2 else TraiderError(told)
            if asyncio.get_running_loop().time() - self._started_s > START_S:
                await self.stop()
                raise TraiderError(f"the guard did not listen within {START_S:g} s")
            await asyncio.sleep(_POLL_S)

    def _is_listening(self, pid: int) -> bool:
        # An address alone may be that of a guard that an earlier start left behind.
        held = holder(lock_path(self._state_dir / JOURNAL)) if (self._state_dir / ENDPOINT).exists() else None
        return held is not None and held.pid == pid

    def _journal_size(self) -> int:
        path = self._state_dir / JOURNAL
        return path.stat().st_size if path.exists() else 0

    async def look_after(self) -> None:
        """Starts it again whenever it dies, until cancelled; ``TraiderError`` when it dies again and again and gets nothing done."""
        deaths = 0
        while True:
            status = await self._process.wait() if self._process is not None else 0
            steady = asyncio.get_running_loop().time() - self._started_s >= STEADY_S
            deaths = 1 if steady or self._journal_size() > self._journal_bytes else deaths + 1
            log.error("the guard died, starting it again", exit_status=status, deaths_in_a_row=deaths)
            if deaths >= GIVE_UP_AFTER:
                raise TraiderError(f"the guard died {deaths} times in a row (last exit status {status}): nothing can be traded")
            await asyncio.sleep(RESTART_S[min(deaths - 1, len(RESTART_S) - 1)])
            with suppress(TraiderError):  # it has said why; counted as another death
                await self.start()

    async def stop(self) -> None:
        """Ends it, and returns when it is gone."""
        process = self._process
        if process is not None and process.returncode is None:
            await end_process(process.pid, lambda: process.returncode is not None)


async def end_process(pid: int, is_gone: Callable[[], bool]) -> None:
    """Asks the process to end, and makes it when it doesn't: the journal does not mind."""
    for number, patience_s in ((signal.SIGTERM, STOP_S), (signal.SIGKILL, STOP_S)):
        with suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline_s = asyncio.get_running_loop().time() + patience_s
        while asyncio.get_running_loop().time() < deadline_s:
            if is_gone():
                return
            await asyncio.sleep(_POLL_S)
        log.error("the guard does not end", pid=pid, signal=number.name)
    raise TraiderError(f"process {pid} can't be ended")


async def end_left_behind(state_dir: Path) -> None:
    """Ends the guard of an ``up`` that is no more. ``UserError`` when the journal is held by a guard started by hand."""
    lock = lock_path(state_dir / JOURNAL)
    held = holder(lock)
    if held is None:
        return
    if held.started_by != "up":
        raise UserError(f"a guard started by hand (process {held.pid}) is using {state_dir}: stop it, or choose another --state-dir")
    log.warning("ending the guard that an earlier start left behind", pid=held.pid)
    await end_process(held.pid, lambda: holder(lock) is None)


@contextmanager
def holding(state_dir: Path) -> Iterator[None]:
    """Makes the state directory and keeps any other ``up`` out of it; ``UserError`` when one is there."""
    make_directory(state_dir)
    lock = Lock.acquire(state_dir / LOCK, what=str(state_dir), started_by="up")
    try:
        yield
    finally:
        lock.release()


async def run_up(
    guard: GuardProcess,
    prepared: AbstractAsyncContextManager[Mapping[str, Part]],
    *,
    state_dir: Path,
    until: str | None = None,
    ready: Callable[[], None],
) -> None:
    """Runs the guard and the parts until SIGINT or SIGTERM, or until the part named ``until`` is done.

    The parts are prepared while the guard starts. ``ready`` is called when it listens and they have been started. A part that breaks
    stops everything, and its error is raised; they are stopped in reverse order, the guard last.
    """
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    tasks: dict[str, asyncio.Task[None]] = {}
    await end_left_behind(state_dir)
    await guard.spawn()
    try:
        async with prepared as parts:
            try:
                if not await _listens(guard, stop):
                    return
                tasks["guard"] = asyncio.create_task(guard.look_after(), name="up: guard")
                for name, part in parts.items():
                    tasks[name] = asyncio.create_task(_run(part), name=f"up: {name}")
                ready()
                await _until_over(tasks, stop, until)
            finally:
                for task in reversed(tasks.values()):
                    task.cancel()
                    await asyncio.wait((task,))
    finally:
        await guard.stop()


async def _listens(guard: GuardProcess, stop: asyncio.Event) -> bool:
    """Whether the guard has come to listen, and not a signal to stop before."""
    listening, stopping = asyncio.create_task(guard.listening()), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((listening, stopping), return_when=asyncio.FIRST_COMPLETED)
        if not stop.is_set():
            with suppress(GuardKilledError):  # who looks after it starts it again, as after any other death
                await listening  # raises why it doesn't
        return not stop.is_set()
    finally:
        for task in (listening, stopping):
            task.cancel()
        await asyncio.gather(listening, stopping, return_exceptions=True)


async def _run(part: Part) -> None:
    await part()


async def _until_over(tasks: Mapping[str, "asyncio.Task[None]"], stop: asyncio.Event, until: str | None) -> None:
    stopping = asyncio.create_task(stop.wait(), name="up: signal")
    running = dict(tasks)
    try:
        while True:
            done, _ = await asyncio.wait((stopping, *running.values()), return_when=asyncio.FIRST_COMPLETED)
            for name in [name for name, task in running.items() if task in done]:
                await running.pop(name)  # raises what broke it
                if name == until:
                    return
            if stopping in done:
                log.info("stopping")
                return
    finally:
        stopping.cancel()


def _forget(path: Path) -> None:
    path.unlink(missing_ok=True)
