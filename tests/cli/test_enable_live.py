"""``traider enable-live`` against a running guard: everything that refuses, and the yes."""

import asyncio
import io
import os
import signal
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import get_args

import pytest

from tests.guard.live.exchange import Exchange
from tests.services.support import BTC, until
from traider.cli.live_evidence import DAY_NS, WORDS, paper_ns
from traider.cli.main import run as traider
from traider.domain.guard_protocol import MarketEvent, Snapshot
from traider.domain.limits import RiskLimits
from traider.domain.session_record import Saw
from traider.domain.state import AccountState, RiskState
from traider.domain.venue import Permissions
from traider.domain.vocabulary import EventKind
from traider.engine.recorded import begin
from traider.guard.authorization import LivePolicy, limits_hash, read_authorization
from traider.guard.books import GuardConfig
from traider.research.evidence import Evidence, Kind, version_of, write_evidence
from traider.runtime.virtual_time import VirtualClock
from traider.services.guard import GuardOptions, run_guard
from traider.storage.session_file import SessionFile, session_path
from traider.strategies.sma_cross import SmaCross

LIMITS = RiskLimits(max_order_notional=Decimal(100), max_gross_exposure=Decimal(1000), max_daily_loss=Decimal(50))
ASK = ["enable-live", "sma_cross", "--param", "fast=3", "--param", "slow=8", "--quantity", "0.01"]
VALUES = SmaCross(fast=3, slow=8, quantity=0.01).values()


@pytest.fixture
def exchange() -> Exchange:
    exchange = Exchange((BTC,), {"USD": Decimal(1000), "BTC": Decimal(0)})
    exchange.allowed = Permissions(can_view=True, can_trade=True, can_transfer=False, portfolio="savings")
    return exchange


@pytest.fixture
def state_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With both switches turned."""
    for name, value in (("TRAIDER_STATE_DIR", str(tmp_path)), ("LIVE_TRADING_DEFAULT", "true"), ("DRY_RUN", "false")):
        monkeypatch.setenv(name, value)
    return tmp_path


class Guarding:
    """A guard over the exchange, with these limits."""

    def __init__(self, state_dir: Path, exchange: Exchange, limits: RiskLimits = LIMITS) -> None:
        self.options = GuardOptions(
            state_dir=state_dir,
            store_url=f"sqlite:///{state_dir / 'store.sqlite3'}",
            config=GuardConfig(instruments=(BTC,), limits=limits, cash=0.0),
            live=LivePolicy(live_trading=True, dry_run=False),
        )
        self.exchange = exchange

    async def __aenter__(self) -> None:
        self.task = asyncio.create_task(run_guard(self.options, VirtualClock(), lambda: self.exchange))
        await until(lambda: self.task.done() or self.exchange.count("permissions") > 0)
        await asyncio.sleep(0.05)

    async def __aexit__(self, *_: object) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(self.task, 20)


async def enable(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, typed: str = "") -> tuple[int, str]:
    """The command's exit status, and what it said last."""
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{typed}\n"))
    capsys.readouterr()
    status = await asyncio.to_thread(traider, ASK)
    out, err = capsys.readouterr()
    return status, err.splitlines()[-1] if err.startswith("error") else out


def give_evidence(state_dir: Path, *, passed: bool = True, days: float = 8.0) -> None:
    kinds: tuple[Kind, ...] = get_args(Kind)
    assert set(kinds) == set(WORDS)
    for kind in kinds:
        finding = Evidence(
            kind=kind,
            strategy="sma_cross",
            version=version_of(SmaCross, VALUES),
            traider="0",
            data_sha256="0",
            settings={},
            passed=passed,
            verdict=f"{kind} is {'well' if passed else 'not well'}",
            finding="",
            made_ns=1 if passed else 2,
        )
        write_evidence(state_dir, finding)
    account = AccountState(
        ts_ns=0, currency="USD", cash=Decimal(1), equity=Decimal(1), high_water_mark=Decimal(1), drawdown=Decimal(0), daily_pnl=Decimal(0),
        gross_exposure=Decimal(0), positions=(),
    )  # fmt: skip
    risk = RiskState(kill_switch=False, kill_reason="", kill_by="", kill_ts_ns=0, limits=(), allowed_markets=None)
    snapshot = Snapshot(seq=0, instruments=(BTC,), account=account, risk=risk, open_orders=(), last_index=-1, journal_n=0, session_id="s1")
    with SessionFile(session_path(state_dir, "s1")) as file:
        file.write(begin(snapshot, SmaCross(**VALUES), name="sma_cross", instruments=(BTC,), interpreted=False))
        for index in range(round(days * 40) + 1):
            file.write(saw(index, DAY_NS + index * DAY_NS // 40))


def saw(index: int, ts_ns: int, *, received: bool = True) -> Saw:
    event = MarketEvent(
        index=index, kind=EventKind.TRADE, symbol="BTC-USD", ts_ns=ts_ns, a=1.0, b=1.0, received_ts_ns=ts_ns if received else 0
    )
    return Saw(event=event)


@pytest.fixture
async def guarding(state_dir: Path, exchange: Exchange) -> AsyncIterator[None]:
    async with Guarding(state_dir, exchange):
        yield


async def test_a_person_types_the_accounts_name(
    state_dir: Path, guarding: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    give_evidence(state_dir)
    status, said = await enable(capsys, monkeypatch, "Savings")
    assert (status, said) == (2, "error: that is not the account's name: nothing was enabled")
    assert read_authorization(state_dir) is None
    status, said = await enable(capsys, monkeypatch, "savings")
    assert status == 0
    for shown in ("exchange savings", "may not transfer", "order notional: 100 USD", "fast=3", "lookahead is well", "on paper: 8.0 days"):
        assert shown in said
    made = read_authorization(state_dir)
    assert made is not None
    assert (made.account, made.strategy, made.parameters, made.limits_sha256) == ("savings", "sma_cross", VALUES, limits_hash(LIMITS))
    assert made.expires_ns - made.made_ns == 168 * 3_600_000_000_000
    assert made.by


async def test_what_evidence_is_missing_is_named(
    state_dir: Path, guarding: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    status, said = await enable(capsys, monkeypatch, "savings")
    assert status == 2
    assert "missing: a look-ahead check of this version that passed (traider verify lookahead)" in said
    assert "missing: a parity check of this version that passed" in said
    assert "missing: 7 days on paper (LIVE_PAPER_DAYS), of which there are 0.0" in said
    give_evidence(state_dir, passed=False, days=6.9)
    status, said = await enable(capsys, monkeypatch, "savings")
    assert status == 2
    assert "look-ahead" in said
    assert "of which there are 6.9" in said


async def test_a_key_that_may_transfer_is_refused(
    state_dir: Path, exchange: Exchange, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange.allowed = Permissions(can_view=True, can_trade=True, can_transfer=True, portfolio="savings")
    async with Guarding(state_dir, exchange):
        assert await enable(capsys, monkeypatch, "savings") == (
            2,
            "error: the key may transfer money: make one that can't, and give the guard that",
        )


async def test_limits_that_have_to_be_set_are_named(
    state_dir: Path, exchange: Exchange, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Guarding(state_dir, exchange, RiskLimits(max_order_notional=Decimal(100))):
        status, said = await enable(capsys, monkeypatch, "savings")
    assert (status, said) == (2, "error: nobody trades with money without limits: set MAX_DAILY_LOSS, MAX_GROSS_EXPOSURE for the guard")


def test_the_switches_are_asked_first(state_dir: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRY_RUN", "true")
    assert traider(ASK) == 2
    assert capsys.readouterr().err == "error: DRY_RUN is on, so no order leaves: set DRY_RUN=false\n"
    monkeypatch.delenv("LIVE_TRADING_DEFAULT")
    assert traider(ASK) == 2
    assert capsys.readouterr().err == "error: live trading is off: set LIVE_TRADING_DEFAULT=true\n"


def test_a_limit_with_a_slip_in_its_name_is_cleared_up_first(
    state_dir: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAX_DAILYLOSS", "50")
    assert traider(ASK) == 2
    assert capsys.readouterr().err.endswith("error: MAX_DAILYLOSS is no setting and does nothing: did you mean MAX_DAILY_LOSS?\n")


def test_a_paper_period_of_another_version_does_not_count(tmp_path: Path) -> None:
    give_evidence(tmp_path)
    assert paper_ns(SmaCross, VALUES, tmp_path) == 8 * DAY_NS
    assert paper_ns(SmaCross, VALUES | {"fast": 4}, tmp_path) == 0


def test_neither_a_replay_nor_the_time_at_which_it_was_stopped_is_a_paper_period(tmp_path: Path) -> None:
    give_evidence(tmp_path, days=1.0)
    with SessionFile(session_path(tmp_path, "s1")) as file:
        file.write(saw(41, 9 * DAY_NS))  # started again after a week
        file.write(saw(42, 9 * DAY_NS + DAY_NS // 48))
        for index in range(43, 1000):
            file.write(saw(index, 20 * DAY_NS + index * DAY_NS // 40, received=False))
    assert paper_ns(SmaCross, VALUES, tmp_path) == DAY_NS + DAY_NS // 48
