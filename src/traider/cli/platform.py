"""The platform put together and run: its processes, the trader, the watch on the guard, and API, dashboard and metrics."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from traider import __version__
from traider.bus.memory import MemoryBus
from traider.connectors.coinbase.live_market import LiveMarket
from traider.domain.bus_events import RISK, SYSTEM, SystemEvent
from traider.domain.venue import StreamChange, StreamState
from traider.engine.live import LiveSession
from traider.runtime.clock import SystemClock
from traider.runtime.settings import Settings
from traider.services.hung import end_hung
from traider.services.trader import Trader
from traider.services.up import Child, Part, run_up
from traider.services.watch import GuardWatch

from .plan import PaperPlan, RecordingPlan

_ONE = Decimal(1)
HEARTBEAT_S = 2.0  # a trader that was not heard of for so long is gone, and so are its orders


@dataclass(frozen=True, kw_only=True)
class Composition:
    """What is run. ``venue`` and ``source`` are where orders go and where the market comes from, in a person's words."""

    settings: Settings
    mode: Literal["paper", "live"]
    venue: str
    source: str
    plan: PaperPlan
    children: Sequence[Child]  # the guard is the last one
    on_exchange: bool
    market: LiveMarket | None = None  # None where it is replayed
    record_as: str | None = None  # the strategy's name in its recording, where there is to be one
    until: str | None = None
    checked: Callable[[], Awaitable[None]] | None = None  # asked when the guard listens: raises why nothing may be traded


@dataclass
class Platform:
    """Runs one composition."""

    what: Composition
    _lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        what, self._clock, self._bus = self.what, SystemClock(), MemoryBus()
        state_dir = what.settings.state.directory
        self._watch = GuardWatch(bus=self._bus, clock=self._clock, state_dir=state_dir)
        self._trader = Trader(
            what.plan if what.record_as is None else RecordingPlan(what.plan, state_dir, what.record_as),
            bus=self._bus,
            clock=self._clock,
            state_dir=state_dir,
            cancel_on_disconnect=what.on_exchange,
            heartbeat_s=HEARTBEAT_S if what.on_exchange else 0.0,
            on_exchange=what.on_exchange,
        )
        traded = f"{what.plan.instrument.symbol} with {what.plan.strategy_class.name}"
        self._lines.append(f"{what.mode.upper()} trading {traded}; orders go to: {what.venue}; market: {what.source}")

    async def run(self, *, with_api: bool) -> None:
        await run_up(
            self.what.children,
            self._prepared(with_api=with_api),
            state_dir=self.what.settings.state.directory,
            until=self.what.until,
            checked=self.what.checked,
            ready=self._tell,
        )

    @asynccontextmanager
    async def _prepared(self, *, with_api: bool) -> AsyncIterator[Mapping[str, Part]]:
        self._rehearse()
        async with AsyncExitStack() as stack:
            guard = self.what.children[-1]
            parts: dict[str, Part] = {"watch": self._watch.run, "hung": lambda: end_hung(guard, lambda: self._watch.connected)}
            if self.what.on_exchange:
                parts["gates"] = self._tell_of_gates
            if with_api:
                parts |= await stack.enter_async_context(self._with_api())
            yield parts | {"trader": self._trade}

    def _rehearse(self) -> None:
        """Compiles the strategy while nobody is connected yet: it takes seconds, in which nothing else of this process runs."""
        plan = self.what.plan
        instruments = (plan.instrument, *plan.others)
        made = plan.strategy_class(**plan.values)
        LiveSession(made, instruments, session_id="rehearsal", cash=_ONE, interpreted=plan.interpreted, kinds=plan.kinds)

    @asynccontextmanager
    async def _with_api(self) -> AsyncIterator[Mapping[str, Part]]:
        # A second of imports, while the other processes start on another core; --no-api does without.
        from traider.api.launch import launch
        from traider.api.live import SessionInfo
        from traider.runtime.metrics import Metrics, start_exporter

        what = self.what
        session = SessionInfo(
            version=__version__,
            mode=what.mode,
            venue=what.venue,
            strategy=what.plan.strategy_class.name,
            params=what.plan.strategy_class(**what.plan.values).values(),
            symbol=what.plan.instrument.symbol,
            source=what.source,
            started_ts_ns=self._clock.now_ns(),
        )
        metrics = Metrics(clock=self._clock, guard_connected=lambda: self._watch.connected)
        self._trader.on_answer = metrics.answered
        async with launch(what.settings, guard=self._watch, bus=self._bus, clock=self._clock, session=session) as launched:
            self._lines += self._address(launched.server.port, launched.new_password)
            exporter = start_exporter(metrics, what.settings.metrics.port)
            try:
                yield {"metrics": lambda: metrics.follow(self._bus), "api": launched.server.serve}
            finally:
                if exporter is not None:
                    exporter.close()

    async def _trade(self) -> None:
        market = self.what.market
        if market is not None:
            market.on_change = self._on_stream
            async with market.open():
                await self._trader.run()
            return
        await self._trader.run()
        if self._watch.connected:
            account = (await self._watch.snapshot()).account
            outcome = f"equity {account.equity:.2f} {account.currency}, {account.drawdown:.2%} below its peak"
            again = "" if self._trader.events else "; it had ended before: to run it again, choose another --state-dir"
            print(f"the recording has ended: {outcome}{again}", flush=True)

    async def _on_stream(self, change: StreamChange) -> None:
        live = change.state is StreamState.LIVE
        state, detail = ("up", "market data come in") if live else ("degraded", f"market data are interrupted: {change.detail}")
        event = SystemEvent(ts_ns=self._clock.now_ns(), component="market", state=state, detail=detail)
        await self._bus.publish(SYSTEM, event)

    async def _tell_of_gates(self) -> None:
        """Says at the terminal why no order leaves yet, and when orders do."""
        told: tuple[str, ...] | None = None
        async for _, risk in self._bus.subscribe(RISK):
            if risk.gates != told:
                told = risk.gates
                closed = f"orders are held back: {'; '.join(told)}"
                print(closed if told else "every gate of the guard is open: orders may leave", flush=True)

    def _tell(self) -> None:
        print("\n".join(self._lines), flush=True)

    def _address(self, port: int, new_password: str | None) -> list[str]:
        api = self.what.settings.api
        host = f"[{api.host}]" if ":" in api.host else api.host
        if new_password is not None:
            login = f"password {new_password} (shown this once; set DASHBOARD_PASSWORD to choose another)"
        elif api.dashboard_password is not None:
            login = "the password of DASHBOARD_PASSWORD"
        else:
            login = "the password that was shown at the first start (set DASHBOARD_PASSWORD to choose another)"
        return [f"dashboard  http://{host}:{port}", f"login      owner, {login}", "Ctrl-C stops it"]
