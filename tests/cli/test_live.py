"""``traider live`` from end to end, with the simulated exchange for Coinbase: what it refuses, what it trades, what a kill leaves."""

import json
import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.live_place import ACCOUNT, LIMITS, STRATEGY, LivePlace, live_place, wait_for
from tests.cli.secrets_of import files_with, places_in_process
from traider.domain.orders import OrderSubmitted
from traider.domain.session_record import Begun, Heard, Saw
from traider.guard.authorization import read_authorization
from traider.guard.journal import entries, verify
from traider.guard.place import JOURNAL
from traider.services.trader import STALE_S
from traider.storage.session_file import read_session

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[LivePlace]:
    with live_place(tmp_path) as place:
        yield place


def enabled(place: LivePlace) -> LivePlace:
    done = place.enable()
    assert done.returncode == 0, done.stdout + done.stderr
    return place


def test_it_refuses_with_one_sentence_while_anything_is_missing(place: LivePlace, tmp_path: Path) -> None:
    def says(*words: str, arguments: tuple[str, ...] = (), **variables: str) -> None:
        status, said = place.refusal(*arguments, environment=place.environment(**variables))
        assert status == 2, said
        for word in words:
            assert word in said

    says("live trading is off: set LIVE_TRADING_DEFAULT=true", LIVE_TRADING_DEFAULT="false")
    says("DRY_RUN is on", DRY_RUN="true")
    says("there is no key for the guard: set COINBASE_KEY_FILE", COINBASE_KEY_FILE="")
    says("COINBASE_KEY_FILE: ", "is not there, or can't be read", COINBASE_KEY_FILE=str(tmp_path / "none.json"))
    says("nobody trades with money without limits: set MAX_GROSS_EXPOSURE, MAX_DAILY_LOSS", MAX_GROSS_EXPOSURE="", MAX_DAILY_LOSS="")
    says("MAX_DAILYLOSS is no setting and does nothing: did you mean MAX_DAILY_LOSS?", MAX_DAILYLOSS="5")
    says("nobody has enabled live trading: run: traider enable-live")
    assert not (place.state_dir / JOURNAL).exists(), "no guard was started for any of these"
    enabled(place)
    says("the parameters are not those that live trading was enabled with", arguments=(*STRATEGY, "--param", "every=5"))
    says("live trading was enabled for BTC-USD, not for ETH-USD", arguments=(*STRATEGY, "--symbol", "ETH-USD"))
    says("the strategy is not the version of", arguments=("ema_band", "--quantity", "0.001"))
    says("the risk limits are not those that live trading was enabled with", MAX_DAILY_LOSS="501")
    says("missing: 7 days on paper (LIVE_PAPER_DAYS)", LIVE_PAPER_DAYS="7")
    yes = place.state_dir / "live.json"
    content = yes.read_text()
    yes.write_text(content.replace(ACCOUNT, "savings"))
    says(f"live trading was enabled for coinbase account savings, and the key is of coinbase account {ACCOUNT}")
    yes.write_text(re.sub(r'"expires_ns": \d+', '"expires_ns": 5', re.sub(r'"made_ns": \d+', '"made_ns": 4', content)))
    says("live trading was enabled until 1970-01-01")
    (next((tmp_path / "paper" / "evidence").iterdir())).unlink()
    yes.write_text(content)
    says("missing: a ")
    assert place.open_orders() == []
    assert place.truth()["counts"]["orders"] == 0


def test_enabled_it_trades_records_and_goes_on_after_a_kill(place: LivePlace) -> None:
    enabled(place)
    assert read_authorization(place.state_dir) is not None
    place.start()
    place.wait_for_fills()
    place.wait(lambda: len(place.open_orders()) == 1)
    assert f"LIVE trading BTC-USD with steady; orders go to: coinbase account {ACCOUNT}" in place.text()
    place.kill()
    killed_s = time.monotonic()
    wait_for(lambda: place.open_orders() == [], place.text, 5.0)
    assert time.monotonic() - killed_s < 5.0
    before, seen = place.fills(), shown(place)
    place.start()
    place.wait_for_fills(before + 1)
    place.wait(lambda: len(place.open_orders()) == 1)
    assert place.interrupt() == 0
    assert place.open_orders() == [], "Ctrl-C takes back what rests"
    assert begun(place) == 1, "the same session, with the strategy's memory out of its recording"
    assert shown(place) > seen
    check_books(place)
    verify(place.state_dir / JOURNAL)


def test_h8_a_trader_that_was_stopped_finds_its_orders_gone_and_acts_on_nothing_old(place: LivePlace) -> None:
    enabled(place)
    place.start()
    place.wait_for_fills()
    place.wait(lambda: len(place.open_orders()) == 1)
    assert place.process is not None
    os.kill(place.process.pid, signal.SIGSTOP)
    wait_for(lambda: place.open_orders() == [], place.text, 5.0)
    time.sleep(9)  # its sockets fill with what happens meanwhile
    before = place.fills()
    os.kill(place.process.pid, signal.SIGCONT)
    place.wait_for_fills(before + 2)
    place.interrupt()
    assert "the market's news are old: nothing but cancels is sent" in place.text()
    (path,) = (place.state_dir / "sessions").glob("*.jsonl")
    seen_ns = {line.event.index: line.event.ts_ns for line in read_session(path) if isinstance(line, Saw)}
    ages_s = [
        (one.wall_ns - seen_ns[int(one.record.client_order_id.split("-")[1])]) / 1e9
        for one in entries(place.state_dir / JOURNAL)
        if isinstance(one.record, OrderSubmitted)
    ]
    assert max(ages_s) < STALE_S + 1.0
    check_books(place)


def shown(place: LivePlace) -> int:
    """Market events that the strategy has been shown."""
    (path,) = (place.state_dir / "sessions").glob("*.jsonl")
    return sum(isinstance(line, Saw) for line in read_session(path))


def begun(place: LivePlace) -> int:
    (path,) = (place.state_dir / "sessions").glob("*.jsonl")
    assert any(isinstance(line, Heard) for line in read_session(path))
    return sum(isinstance(line, Begun) for line in read_session(path))


def check_books(place: LivePlace) -> None:
    """Every fill of the exchange was booked once, none besides."""
    there = [fill["trade_id"] for fill in place.truth()["fills"]]
    here = [event.trade_id for event in place.events() if hasattr(event, "trade_id")]
    assert sorted(here) == sorted(there)
    assert len(set(here)) == len(here) > 2


@pytest.mark.parametrize("by", ["file", "variables"])
def test_the_key_reaches_the_guard_and_nothing_else(place: LivePlace, by: str) -> None:
    enabled(place)
    key = json.loads(place.key_file.read_text())
    given = {} if by == "file" else {"COINBASE_KEY_FILE": "", "COINBASE_API_KEY": key["name"], "COINBASE_API_SECRET": key["privateKey"]}
    place.start("--port", "0", **given)
    place.wait_for_fills()
    assert place.process is not None
    secret = place.secret
    assert places_in_process(place.guard_pid, secret) != [], "what looks for it finds it where it is"
    assert places_in_process(place.process.pid, secret) == []
    place.interrupt()
    assert files_with(place.state_dir, secret) == []
    assert files_with(place.folder, secret) == ["key.json"]


def test_limits_that_are_asked_for_are_the_ones_that_are_needed() -> None:
    from traider.cli.enable_live import NEEDED

    assert set(NEEDED.values()) == set(LIMITS)
