"""Random runs: 25 seeds hold, the same seed is the same run, everything that can happen does, and a guard that is wrong is found."""

import logging
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from traider.connectors.coinbase.rest import Rest
from traider.connectors.coinbase.tokens import KeyAuthorization
from traider.connectors.coinbase.transport import NoReplyError
from traider.domain.errors import StrategyError
from traider.domain.limits import RiskLimits
from traider.domain.vocabulary import Reason
from traider.guard.audit.truth import INVARIANTS
from traider.guard.live.core import LiveGuard
from traider.kernel.control_desk import Controls
from traider.kernel.desk import Desk
from traider.kernel.order_row import OrderRows
from traider.research.chaos.asked import Asked
from traider.research.chaos.events import Events
from traider.research.chaos.fate import POINTS
from traider.research.chaos.machine import Machine
from traider.research.chaos.schedule import FAULTS_S, Happening, schedule

SEEDS = 25
FOUND_WITHIN = 25  # seeds


@pytest.mark.parametrize("seed", range(SEEDS))
def test_the_invariants_hold(seed: int) -> None:
    """A seed that fails is played again with ``traider chaos --seed N``."""
    outcome = Asked().play(seed)
    assert [str(violation) for violation in outcome.violations] == [], Asked().reproduction(seed)
    assert {invariant for invariant, checks in outcome.checks.items() if checks} >= INVARIANTS.keys() - {"I2", "I5", "I9", "I11"}


@pytest.mark.slow
def test_every_invariant_is_looked_at_and_much_goes_wrong() -> None:
    checks: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    for seed in range(8):
        outcome = Asked().play(seed)
        checks.update(outcome.checks)
        counts.update(outcome.counts)
    assert checks.keys() == INVARIANTS.keys()
    assert counts["guard starts"] > 12, "the guard has died more than four times"
    for what in ("unknown", "orders at the exchange", "fills", "cancels", "amendments"):
        assert counts[what] > 9, what


@pytest.mark.slow
def test_the_same_seed_is_the_same_run_whatever_python_hashes_by() -> None:
    code = "from traider.research.chaos.asked import Asked; print(*(Asked().play(seed).digest for seed in (4, 7)))"
    digests = {
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": hash_seed}, capture_output=True, text=True, check=True
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert len(digests) == 1
    first, second = digests.pop().split()
    assert first != second


def test_everything_that_can_happen_is_drawn_and_can_be_carried_out() -> None:
    drawn: Counter[str] = Counter()
    points: Counter[str] = Counter()
    for seed in range(300):
        for happening in schedule(random.Random(seed)):
            assert 0.0 < happening.at_s <= FAULTS_S
            drawn[happening.do] += 1
            if happening.do == "kill":
                points[happening.args["point"]] += 1
            assert happening.do == "exchange" or hasattr(Events, f"_{happening.do.replace(' ', '_')}")
    assert points.keys() == set(POINTS)
    assert len(drawn) > 13


@pytest.mark.parametrize("point", POINTS)
def test_the_guards_process_dies_at_each_named_point_and_everything_holds(point: str, monkeypatch: pytest.MonkeyPatch) -> None:
    deaths: list[str] = []
    start = Machine.start

    def counted(self: Machine) -> None:
        if self.starts:
            deaths.append(self.fate.point or point)  # a death at the very end finds everything mended
        start(self)

    def only_kills(randomness: random.Random) -> list[Happening]:
        return [
            Happening(at_s, "kill", {"point": point, "after": randomness.randint(1, 3), "down_s": 1.0, "torn": b""})
            for at_s in (5.0, 12.0, 19.0, 26.0, 33.0)
        ]

    monkeypatch.setattr(Machine, "start", counted)
    monkeypatch.setattr("traider.research.chaos.run.schedule", only_kills)
    for seed in range(2):
        outcome = Asked().play(seed)
        assert [str(violation) for violation in outcome.violations] == [], seed
    assert len(deaths) >= 2
    assert set(deaths) == {point}


# -- what a wrong guard looks like


def forgets_unknown_orders(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(LiveGuard, "unknown", lambda self, identifier, detail: self.rejected(identifier, Reason.NOT_SENT, detail))


def sends_again(patch: pytest.MonkeyPatch) -> None:
    once = Rest._once

    async def twice(self: Rest, call, **how):  # type: ignore[no-untyped-def]  # as the one that it takes the place of
        try:
            return await once(self, call, **how)
        except NoReplyError:
            return await once(self, call, **how)

    patch.setattr(Rest, "_once", twice)


def asks_no_gate_before_the_send(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(LiveGuard, "why_not_send", lambda _self, _request: (Reason.NONE, ""))


def counts_no_open_orders(patch: pytest.MonkeyPatch) -> None:
    reserve = Desk.reserve_rows

    def reserved(self: Desk, controls: Controls, rows: OrderRows, first: int, count: int) -> tuple[list[int], Reason]:
        kept = self.positions["open_buys"].copy()
        self.positions["open_buys"] = 0.0
        numbers, reason = reserve(self, controls, rows, first, 1)
        if not numbers:
            self.positions["open_buys"] = kept
        return numbers, reason

    patch.setattr(Desk, "reserve_rows", reserved)


def looks_for_fills_by_its_own_clock(patch: pytest.MonkeyPatch) -> None:
    wrong = [Happening(at_s, "clock", {"offset_s": 90.0, "seconds": 8.0}) for at_s in (5.0, 20.0, 35.0)]
    patch.setattr("traider.research.chaos.run.schedule", lambda _randomness: wrong)
    patch.setattr("traider.connectors.coinbase.venue.CoinbaseVenue.now_ns", lambda self: self._server_clock._local.now_ns())


def journals_no_fills(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("traider.guard.live.settle.Settlement._fill", lambda _self, _identifier, _fill: None)


def logs_its_key(patch: pytest.MonkeyPatch) -> None:
    made = KeyAuthorization.for_request

    async def told(self: KeyAuthorization, method: str, host: str, path: str) -> str:
        logging.getLogger("traider.tests").warning("signing with %s", self._key.secret)
        return await made(self, method, host, path)

    patch.setattr(KeyAuthorization, "for_request", told)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("broken", "invariants"),
    [
        (forgets_unknown_orders, {"I11"}),
        (sends_again, {"I2"}),
        (asks_no_gate_before_the_send, {"I5"}),
        (counts_no_open_orders, {"I9"}),
        (looks_for_fills_by_its_own_clock, {"I1", "I3"}),
        (journals_no_fills, {"I1", "I4"}),
        (logs_its_key, {"I10"}),
    ],
)
def test_a_guard_that_is_wrong_is_found(
    broken: Callable[[pytest.MonkeyPatch], None], invariants: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken(monkeypatch)
    for seed in range(FOUND_WITHIN):
        found = {violation.invariant for violation in Asked().play(seed).violations}
        if found & invariants:
            return
    raise AssertionError(f"nothing was found in {FOUND_WITHIN} runs")


# -- strategies


@pytest.mark.parametrize("strategy", ["sma_cross", "momentum", "ema_band", "touch_maker"])
def test_the_built_in_strategies_hold(strategy: str) -> None:
    asked = Asked(strategy=strategy, limits=RiskLimits())
    asked.check()
    traded = 0
    for seed in range(2):
        outcome = asked.play(seed)
        assert [str(violation) for violation in outcome.violations] == [], asked.reproduction(seed)
        traded += outcome.counts["fills"]
    assert traded


FAILING = """from traider import Context, Strategy, Trade

class Failing(Strategy):
    def setup(self) -> None:
        self.trades = 0

    def on_trade(self, trade: Trade, ctx: Context) -> None:
        self.trades += 1
        if self.trades > 3700:
            raise ValueError("enough")
"""


def test_an_error_of_the_strategy_is_the_authors(tmp_path: Path) -> None:
    (tmp_path / "failing.py").write_text(FAILING)
    asked = Asked(strategy=f"{tmp_path / 'failing.py'}:Failing", interpreted=True)
    with pytest.raises(StrategyError, match="ValueError: enough"):
        asked.play(1)
