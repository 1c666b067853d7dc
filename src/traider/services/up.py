"""``traider up``: guard and simulated exchange as processes of their own, looked after, and everything else as tasks of this one's loop.

When this process is gone, the guard stays: what it knows is in its journal, it only isn't fed any more. The next ``up`` on the same
state directory ends it and starts its own, which reads the journal. That is the same way as after a crash, so it is tried often, and
limits given to the new ``up`` hold without a word to the old guard. A process that was started by hand is not touched.
"""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager, suppress
from pathlib import Path

from structlog import get_logger

from traider.domain.errors import TraiderError, UserError
from traider.guard.journal import head_path, lock_path
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


class KilledError(TraiderError):
    """A process was ended from outside while it was starting."""


class Child:
    """A process of ours: started, watched, started again when it dies, stopped. ``name`` is what people call it."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        lock: Path,
        progress: Path | None = None,
        environment: Mapping[str, str] | None = None,
        fds: Sequence[int] = (),
        quiet: bool = False,
    ) -> None:
        """``lock`` is held by it while it runs, ``progress`` is a small file that it rewrites as it works; ``fds`` are handed down."""
        self.name = name
        self.lock = lock
        self._command = (sys.executable, "-m", "traider.cli.main", *command)
        self._progress = progress
        self._environment = environment
        self._fds = tuple(fds)
        self._quiet = quiet
        self._process: asyncio.subprocess.Process | None = None
        self._started_s = 0.0
        self._progress_seen = b""

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    async def start(self) -> None:
        """Returns when it is there. ``TraiderError`` when it ended instead; it has said why on stderr."""
        await self.spawn()
        await self.listening()

    async def spawn(self) -> None:
        """Starts the process, and does not wait for it."""
        self._started_s = asyncio.get_running_loop().time()
        self._progress_seen = self._progressed()
        # Ctrl-C in a terminal goes to every process of its group: each is to be stopped by us, in its turn.
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            env=self._environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL if self._quiet else None,
            pass_fds=self._fds,
            start_new_session=True,
        )

    async def listening(self) -> None:
        """Returns when it is there; see ``start``."""
        process = self._process
        while process is not None and not self._is_there(process.pid):
            status = process.returncode
            if status is not None:
                if status < 0:
                    raise KilledError(f"the {self.name} was ended by {signal.Signals(-status).name} before it listened: start again")
                told = f"the {self.name} did not start (exit status {status}); its message is above"
                raise UserError(told) if status == 2 else TraiderError(told)
            if asyncio.get_running_loop().time() - self._started_s > START_S:
                await self.stop()
                raise TraiderError(f"the {self.name} did not listen within {START_S:g} s")
            await asyncio.sleep(_POLL_S)

    def _is_there(self, pid: int) -> bool:
        held = holder(self.lock)
        return held is not None and held.pid == pid

    def _progressed(self) -> bytes:
        return self._progress.read_bytes() if self._progress is not None and self._progress.exists() else b""

    async def look_after(self) -> None:
        """Starts it again whenever it dies, until cancelled; ``TraiderError`` when it dies again and again and gets nothing done."""
        deaths = 0
        while True:
            status = await self._process.wait() if self._process is not None else 0
            steady = asyncio.get_running_loop().time() - self._started_s >= STEADY_S
            # Killed from outside, what it has written counts for it. One that ends by itself writes at each start, and gets nowhere.
            worked = status < 0 and self._progressed() != self._progress_seen
            deaths = 1 if steady or worked else deaths + 1
            told = f"the {self.name} died, starting it again"
            log.error(told, exit_status=status, deaths_in_a_row=deaths)
            if deaths >= GIVE_UP_AFTER:
                raise TraiderError(f"the {self.name} died {deaths} times in a row (last exit status {status}): nothing can be traded")
            await asyncio.sleep(RESTART_S[min(deaths - 1, len(RESTART_S) - 1)])
            with suppress(TraiderError):  # it has said why; counted as another death
                await self.start()

    def kill(self) -> None:
        """Ends it at once; who looks after it starts it again."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()

    async def stop(self) -> None:
        """Ends it, and returns when it is gone."""
        process = self._process
        if process is not None and process.returncode is None:
            await end_process(process.pid, lambda: process.returncode is not None)

    async def end_left_behind(self, where: Path) -> None:
        """Ends the one of an ``up`` that is no more. ``UserError`` when it was started by hand."""
        held = holder(self.lock)
        if held is None:
            return
        if held.started_by != "up":
            raise UserError(f"a {self.name} started by hand (process {held.pid}) is using {where}: stop it, or choose another --state-dir")
        told = f"ending the {self.name} that an earlier start left behind"
        log.warning(told, pid=held.pid)
        await end_process(held.pid, lambda: holder(self.lock) is None)


class GuardProcess(Child):
    """The guard of a state directory."""

    def __init__(
        self, arguments: Sequence[str], *, state_dir: Path, environment: Mapping[str, str] | None = None, fds: Sequence[int] = ()
    ) -> None:
        super().__init__(
            "guard",
            ("guard", "--parent", str(os.getpid()), *arguments),
            lock=lock_path(state_dir / JOURNAL),
            progress=head_path(state_dir / JOURNAL),
            environment=environment,
            fds=fds,
        )
        self._endpoint = state_dir / ENDPOINT

    async def spawn(self) -> None:
        self._endpoint.unlink(missing_ok=True)
        await super().spawn()

    def _is_there(self, pid: int) -> bool:
        # An address alone may be that of a guard that an earlier start left behind.
        return self._endpoint.exists() and super()._is_there(pid)


class ExchangeProcess(Child):
    """A simulated exchange on a port of this machine that stays its own, however often the process is started again."""

    def __init__(self, arguments: Sequence[str], *, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        # Listened on here: who connects while the exchange is being started again waits for it, and nobody else gets the port.
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = int(self._socket.getsockname()[1])
        self.key_file = folder / "key.json"
        self._folder = folder
        state = self._state = folder / "state.jsonl"
        listening = ("--port", str(self.port), "--listen-fd", str(self._socket.fileno()), "--parent", str(os.getpid()))
        super().__init__(
            "exchange",
            ("exchange-sim", *listening, "--state", str(state), "--key-out", str(self.key_file), *arguments),
            lock=state.with_name(f"{state.name}.lock"),
            environment=environment,
            fds=(self._socket.fileno(),),
            quiet=True,
        )

    async def spawn(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not self._state.exists():
            self.key_file.unlink(missing_ok=True)  # of an exchange that is no more; the guard waits for the new one's
        await super().spawn()

    def _is_there(self, pid: int) -> bool:
        return self.key_file.exists() and super()._is_there(pid)

    async def stop(self) -> None:
        await super().stop()
        self._socket.close()


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
        log.error("a process does not end", pid=pid, signal=number.name)
    raise TraiderError(f"process {pid} can't be ended")


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
    children: Sequence[Child],
    prepared: AbstractAsyncContextManager[Mapping[str, Part]],
    *,
    state_dir: Path,
    until: str | None = None,
    checked: Callable[[], Awaitable[None]] | None = None,
    ready: Callable[[], None],
) -> None:
    """Runs the processes and the parts until SIGINT or SIGTERM, or until the part named ``until`` is done.

    The processes are started all at once, and the parts are prepared meanwhile. ``checked``
    raises why they may not be started after all. ``ready`` is called when everything has been started. A part that breaks stops
    everything, and its error is raised; parts are stopped in reverse order, then the processes, the last one first.
    """
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    tasks: dict[str, asyncio.Task[None]] = {}
    for child in children:
        await child.end_left_behind(state_dir)
    starting = asyncio.create_task(_start_all(children), name="up: start")
    try:
        await asyncio.sleep(0)  # the first process is on its way before this one is busy with preparing
        async with prepared as parts:
            try:
                if not await _unless_stopped(starting, stop):
                    return
                if checked is not None and not await _unless_stopped(asyncio.ensure_future(_run(checked)), stop):
                    return
                for child in children:
                    tasks[child.name] = asyncio.create_task(child.look_after(), name=f"up: {child.name}")
                for name, part in parts.items():
                    tasks[name] = asyncio.create_task(_run(part), name=f"up: {name}")
                ready()
                await _until_over(tasks, stop, until)
            finally:
                for task in reversed(tasks.values()):
                    task.cancel()
                    await asyncio.wait((task,))
    finally:
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        for child in reversed(children):
            await child.stop()


async def _start_all(children: Sequence[Child]) -> None:
    for child in children:
        await child.spawn()
    for child in children:
        with suppress(KilledError):  # who looks after it starts it again, as after any other death
            await child.listening()  # raises why it doesn't


async def _unless_stopped(work: "asyncio.Future[None]", stop: asyncio.Event) -> bool:
    """Whether the work was done before a signal to stop; raises what broke it."""
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((work, stopping), return_when=asyncio.FIRST_COMPLETED)
        if stop.is_set():
            return False
        await work
        return True
    finally:
        for task in (work, stopping):
            task.cancel()
        await asyncio.gather(work, stopping, return_exceptions=True)


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
