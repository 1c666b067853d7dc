"""One run: a seed goes in, and what was checked and what did not hold comes out."""

import asyncio
import hashlib
import random
import tempfile
import traceback
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from traider.connectors.coinbase.credentials import ApiKey
from traider.domain.errors import StrategyError
from traider.domain.instruments import Instrument
from traider.domain.limits import RiskLimits
from traider.guard.audit.invariants import (
    balances_agree,
    fills_are_booked,
    gates_are_open,
    intents_are_sent_once,
    nothing_is_left_to_do,
    open_orders_agree,
    rate_is_kept,
    rejected_are_not_there,
    secrets_are_kept,
    unknown_ends,
)
from traider.guard.audit.recoveries import recoveries_agree
from traider.guard.audit.truth import Tally, Truth, Violation
from traider.guard.audit.witness import is_within
from traider.guard.books import GuardConfig
from traider.guard.live.core import LiveGuard
from traider.guard.segments import segment_paths
from traider.runtime.virtual_time import play

from .actors import Actor
from .events import Events
from .exchange import INSTRUMENT, ChaosExchange
from .fate import KilledError
from .machine import Machine
from .overheard import overheard
from .schedule import FAULTS_S, schedule
from .trader import Trader
from .wires import Network

CALM_S = 120.0  # twice 30 s between two tries, and what a look takes: by then everything has to be settled
MakeActor = Callable[[random.Random, Instrument], Actor]


def limits(randomness: random.Random) -> RiskLimits:
    """Tight enough that they are reached within the run."""
    return RiskLimits(
        max_position_size=Decimal(randomness.choice((3, 5, 8))),
        max_order_notional=Decimal(1_000),
        max_open_orders=randomness.choice((3, 12)),
        max_gross_exposure=randomness.choice((None, Decimal(450))),
        max_market_data_age_s=Decimal(5),
        max_price_deviation=Decimal("0.05"),
        max_orders_per_second=randomness.choice((None, 2)),
        duplicate_window_s=randomness.choice((None, Decimal(1))),
        max_rejections_in_a_row=randomness.choice((None, 15)),
        prevent_self_match=randomness.random() < 0.5,
    )


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """``digest`` is of everything that was journalled and everything that happened at the exchange: the same for the same seed."""

    seed: int
    checks: dict[str, int]
    violations: list[Violation]
    digest: str
    counts: dict[str, int]


def run_seed(seed: int, make_actor: MakeActor, limits: RiskLimits | None = None) -> Outcome:
    """Plays the seed's run to its end; without limits under those that its seed gives it.

    ``StrategyError`` where an author's own code fails.
    """
    with tempfile.TemporaryDirectory(prefix="traider-chaos-") as folder, overheard() as texts:
        run = _Run(seed, make_actor, limits, Path(folder))
        play(run.whole)
    secrets_are_kept([*texts, *run.texts], run.secrets, run.tally)
    return Outcome(
        seed=seed,
        checks=dict(run.tally.checks),
        violations=run.tally.violations,
        digest=run.digest,
        counts=run.counts,
    )


class _Run:
    def __init__(self, seed: int, make_actor: MakeActor, given: RiskLimits | None, folder: Path) -> None:
        self.tally = Tally()
        self.texts: list[str] = []
        self.secrets: set[str] = set()
        self.digest = ""
        self.counts: dict[str, int] = {}
        self._seed = seed
        self._make_actor = make_actor
        self._folder = folder
        self._limits = given or limits(self._random("limits"))
        self._problems: list[str] = []

    def _random(self, what: str) -> random.Random:
        return random.Random(f"{self._seed} {what}")  # noqa: S311  - a simulation, and the same for the same seed

    async def whole(self) -> None:
        asyncio.get_running_loop().set_exception_handler(self._unforeseen)
        exchange = ChaosExchange(self._seed)
        network = Network(exchange.simulator, self._random("network"))
        key = ApiKey(exchange.key["id"], exchange.key["privateKey"])
        self.secrets = {key.secret, key.secret.rstrip("=")[:40]}
        instrument = INSTRUMENT
        config = GuardConfig(instruments=(instrument,), limits=self._limits, cash=0.0, maker_fee=0.006, taker_fee=0.012)
        segment_lines = self._random("journal").choice((20, 40, 80))  # so few that every run has a number of them
        machine = Machine(self._folder / "journal.jsonl", config, network, key, self._random("client"), self.tally, segment_lines)
        actor = self._make_actor(self._random("actor"), instrument)
        trader = Trader(machine, network, actor, instrument, self._random("feed"), exchange.past())
        trader.cancel_on_disconnect = self._random("trader").random() < 0.5
        trader.on_problem = lambda what: self.tally.violated("I6", what)
        events = Events(exchange, network, machine, trader)
        self._watch(exchange)
        time = asyncio.get_running_loop().create_task(exchange.simulator.agenda.run())
        machine.start()
        trading = asyncio.get_running_loop().create_task(trader.run(), name="chaos: trader")
        try:
            await self._happen(events)
            trader.trading = False
            events.mend()
            await self._calm_down(exchange, network, machine, events)
            self._judge(exchange, network, machine)
        finally:
            machine.lost = lambda: None
            machine.kill()
            await machine.ended()
            for task in (trading, time):
                task.cancel()
            ends = await asyncio.gather(trading, time, return_exceptions=True)
            await network.close()
        for end in ends:
            self._look_at(end)
        self._describe(exchange, network, machine, trader)
        for problem in self._problems:
            self.tally.violated("I12", problem)

    def _look_at(self, end: object) -> None:
        """How a task has ended that should have been cancelled."""
        if isinstance(end, BaseExceptionGroup):
            for error in end.exceptions:
                self._look_at(error)
        elif isinstance(end, StrategyError):
            raise end
        elif isinstance(end, BaseException) and not isinstance(end, asyncio.CancelledError):
            self._problems.append("a task broke: " + "".join(traceback.format_exception(end)))

    def _watch(self, exchange: ChaosExchange) -> None:
        """I9, whenever an order or a balance has changed at the exchange."""

        def changed(_order: Any) -> None:
            is_within(self._limits, INSTRUMENT, exchange.open_orders(), exchange.balances(), self.tally, "at the exchange")

        exchange.simulator.exchange.order_observers.append(changed)

    async def _happen(self, events: Events) -> None:
        loop = asyncio.get_running_loop()
        for happening in schedule(self._random("schedule")):
            await asyncio.sleep(max(0.0, happening.at_s - loop.time()))
            events.carry_out(happening)
        await asyncio.sleep(max(0.0, FAULTS_S - loop.time()))
        # what lasts longer than the schedule ends now, as does everything else
        await asyncio.sleep(2.0)

    async def _calm_down(self, exchange: ChaosExchange, network: Network, machine: Machine, events: Events) -> None:
        """Returns as soon as everything is settled, or when it should have been."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + CALM_S
        while loop.time() < until_s:
            await asyncio.sleep(1.0)
            events.mend()
            events.see_to()
            guard = machine.guard
            if guard is None or machine.fate.dead:
                continue
            if guard.books.kill.on:
                if guard.kill_proven:
                    self.tally.check("I3", not exchange.account.open, "the kill switch was proven, and orders are open at the exchange")
                    events.switch_off()
            elif _is_settled(guard, exchange.truth(network.arrivals)):
                return

    def _judge(self, exchange: ChaosExchange, network: Network, machine: Machine) -> None:
        guard, truth = machine.guard, exchange.truth(network.arrivals)
        if machine.broken is not None:
            self._problems.append("the guard broke: " + "".join(traceback.format_exception(machine.broken)))
        if guard is None or not machine.is_up:
            self.tally.violated("I12", "the guard is not running")
            return
        records = [entry.record for entry in guard.journal.read()]
        fills_are_booked(records, truth.fills, self.tally)
        intents_are_sent_once(truth, self.tally)
        open_orders_agree(guard.books, truth, self.tally)
        balances_agree(guard.books, truth, self.tally)
        recoveries_agree(guard, truth, self.tally)
        rate_is_kept(truth.arrivals, exchange.rate_limit, self.tally)
        unknown_ends(guard.books, records, self.tally)
        rejected_are_not_there(records, truth, self.tally)
        gates_are_open(guard.gates.closed(), (), self.tally)
        nothing_is_left_to_do(guard.books, self.tally)
        self.counts["unknown"] = sum(type(record).__name__ == "OrderUnknown" for record in records)

    def _describe(self, exchange: ChaosExchange, network: Network, machine: Machine, trader: Trader) -> None:
        files = [file for _, file in segment_paths(self._folder / "journal.jsonl")]
        journal = "".join(file.read_text(encoding="utf-8", errors="backslashreplace") for file in files)
        truth = exchange.truth(network.arrivals)
        told = msgspec.json.encode((journal, truth.fills, truth.orders, truth.arrivals))
        self.digest = hashlib.sha256(told).hexdigest()
        self.texts += [journal, *machine.refusals, *self._problems]
        self.counts |= {
            "guard starts": machine.starts,
            "journal segments": len(files),
            "market events": trader.events,
            "requests": len(truth.arrivals),
            "orders at the exchange": len(truth.orders),
            "fills": len(truth.fills),
            **trader.asked,
        }

    def _unforeseen(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, KilledError):
            return
        told = "".join(traceback.format_exception(error)) if isinstance(error, BaseException) else str(context.get("message"))
        self._problems.append(f"unforeseen: {told}")


def _is_settled(guard: LiveGuard, truth: Truth) -> bool:
    books = guard.books
    return (
        not guard.gates.closed()
        and not books.cancelling
        and not books.amending
        and not guard.risk().unknown_orders
        and {order.venue_order_id for order in books.open.values()} == {order.venue_order_id for order in truth.open_orders()}
        and books.trades.keys() >= {fill.trade_id for fill in truth.fills}
        and {currency: total for currency, total in books.totals.items() if total} == truth.totals()
    )
