"""Carries out what a schedule says, and in the end mends everything."""

import asyncio
from collections.abc import Callable
from typing import Any

from traider.connectors.sim.exchange.refusals import RequestRefusedError
from traider.domain.guard_protocol import PROTOCOL_VERSION, AcceptBalances, Open, SetKillSwitch
from traider.guard.gates import Cause

from .exchange import SYMBOL, ChaosExchange
from .machine import GuardGoneError, Machine
from .schedule import Args, Happening
from .trader import Trader
from .wires import Network

OPERATOR = 1_000_000  # the guard's number of the person's connection
SECOND_NS = 1_000_000_000


class Events:
    """``carry_out`` for each happening; ``mend`` when all of them are over."""

    def __init__(self, exchange: ChaosExchange, network: Network, machine: Machine, trader: Trader) -> None:
        self._exchange = exchange
        self._network = network
        self._machine = machine
        self._trader = trader
        self._down_s = 1.0
        self._openings = 0
        machine.lost = self._after_death(machine.lost)

    def carry_out(self, happening: Happening) -> None:
        do, args = happening.do, happening.args
        if do == "exchange":
            self._rule(args)
        else:
            getattr(self, f"_{do.replace(' ', '_')}")(args)

    def mend(self) -> None:
        """No fault is left. What a person has to do is done by ``see_to``."""
        exchange, simulator = self._exchange, self._exchange.simulator
        simulator.faults.clear()
        exchange.product.flags.update(dict.fromkeys(exchange.product.flags, False))
        exchange.product.cancels_rejected = False
        for key in simulator.ring.keys.values():
            key.revoked, key.scopes = False, {"view", "trade"}
        self._network.unplugged = False
        self._machine.clock.offset_ns = 0
        self._machine.disk.full = False
        self._machine.fate.point = ""
        self._trader.wake()

    def see_to(self) -> None:
        """What a person does about what waits for one: starts a guard whose journal has failed, and accepts balances."""
        guard = self._machine.guard
        if guard is None or not self._machine.is_up:
            return
        if guard.failure is not None:
            self._machine.disk.full = False
            self._machine.kill()
        elif guard.gates.is_closed(Cause.BALANCE):
            self._operate(AcceptBalances(seq=0, by="chaos", reason="money was moved by hand"))

    def switch_off(self) -> None:
        """A person lets orders go again."""
        self._operate(SetKillSwitch(seq=0, on=False, reason="seen to", by="chaos"))

    # -- this side

    def _operate(self, ask: AcceptBalances | SetKillSwitch) -> None:
        try:
            self._openings += 1
            client = OPERATOR + self._openings
            self._machine.ask(Open(seq=0, version=PROTOCOL_VERSION, role="observer", client="operator"), client)
            self._machine.ask(ask, client)
            self._machine.disconnect(client)
        except GuardGoneError:
            pass  # there is another look later

    def _after_death(self, lost: Callable[[], None]) -> Callable[[], None]:
        """Whoever looks after the guard's process starts it again."""

        def died() -> None:
            lost()
            asyncio.get_running_loop().call_later(self._down_s, self._machine.start)

        return died

    def _kill(self, args: Args) -> None:
        self._down_s = args["down_s"]
        self._machine.torn = args["torn"]
        self._machine.fate.doom(args["point"], args["after"])

    def _disk_full(self, args: Args) -> None:
        disk = self._machine.disk
        disk.full = True

        def freed() -> None:
            disk.full = False
            guard = self._machine.guard
            if guard is not None and guard.failure is not None:
                self._machine.kill()

        self._later(args, freed)

    def _trader_hangs(self, args: Args) -> None:
        self._trader.hang()
        self._later(args, self._trader.wake)

    def _trader_dies(self, args: Args) -> None:
        self._trader.die()

    def _kill_switch(self, args: Args) -> None:
        self._operate(SetKillSwitch(seq=0, on=True, reason="chaos", by="chaos"))
        self._later(args, self.switch_off)

    def _clock(self, args: Args) -> None:
        clock = self._machine.clock
        clock.offset_ns = round(args["offset_s"] * SECOND_NS)
        self._later(args, lambda: setattr(clock, "offset_ns", 0))

    def _unplug(self, args: Args) -> None:
        self._network.unplugged = True
        self._later(args, lambda: setattr(self._network, "unplugged", False))

    # -- the exchange

    def _rule(self, rule: dict[str, Any]) -> None:
        self._exchange.simulator.faults.add(rule)

    def _maintenance(self, args: Args) -> None:
        self._rule({"do": "maintenance", **args})

    def _storm(self, args: Args) -> None:
        rule = self._exchange.simulator.faults.add({"match": {}, "do": "status", "code": args["code"], "times": 0})
        self._later(args, lambda: self._exchange.simulator.faults.rules.pop(rule.id, None))

    def _revoke(self, args: Args) -> None:
        self._rule({"do": "key.revoke"})
        self._later(args, lambda: self._rule({"do": "key.revoke", "undo": True}))

    def _scopes(self, args: Args) -> None:
        self._rule({"do": "key.scopes", "scopes": args["scopes"]})
        self._later(args, lambda: self._rule({"do": "key.scopes", "scopes": ["view", "trade"]}))

    def _product(self, args: Args) -> None:
        flag = args["flag"]
        self._rule({"do": "product", "product_id": SYMBOL, flag: True})
        self._later(args, lambda: self._rule({"do": "product", "product_id": SYMBOL, flag: False}))

    def _sell_by_hand(self, args: Args) -> None:
        """Of what is there; where it is not, nothing happens."""
        size = f"{args['size'] / 1000:.3f}"
        last = self._exchange.simulator.exchange.market_of(self._exchange.product).last
        terms = {"limit_limit_gtc": {"base_size": size, "limit_price": f"{(last + 20) / 100:.2f}"}} if args["limit"] else None
        configuration = terms or {"market_market_ioc": {"base_size": size}}
        order = {"product_id": SYMBOL, "side": "SELL", "order_configuration": configuration}
        try:
            self._rule({"do": "external_order", "order": order})
        except RequestRefusedError:
            pass

    def _cancel_by_hand(self, _args: Args) -> None:
        account = self._exchange.account
        for order in list(account.open.values())[:1]:
            self._exchange.simulator.entry.cancel(account, order.order_id)

    def _money(self, args: Args) -> None:
        self._rule({"do": "balance", "currency": "USD", "delta": args["delta"]})

    @staticmethod
    def _later(args: Args, call: Callable[[], object]) -> None:
        asyncio.get_running_loop().call_later(args["seconds"], call)
