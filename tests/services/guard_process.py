"""``traider guard --venue coinbase`` as a process of its own, set up by the environment as a user does, on a simulated exchange."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

from tests.connectors.exchange.running import Running
from tests.services.test_live_guard import Ear
from traider.domain.errors import LinkError
from traider.domain.guard_protocol import MarketEvent
from traider.domain.vocabulary import EventKind
from traider.guard.authorization import Authorization, write_authorization
from traider.guard.client import GuardClient
from traider.guard.place import find_guard
from traider.runtime.clock import SystemClock

COMMAND = (sys.executable, "-m", "traider.cli.main", "guard", "--venue", "coinbase", "--instrument", "BTC-USD:1:0.001")
WEEK_NS = 7 * 86_400 * 10**9
PATIENCE_S = 20.0
FIRST_START_S = 90.0  # nothing may be compiled yet


class GuardProcess:
    """One state directory, and the guard on it; it can be killed and started again."""

    def __init__(self, folder: Path, running: Running) -> None:
        self.state_dir = folder / "state"
        self.log = folder / "guard.log"
        key_file = folder / "key.json"
        key_file.write_text(json.dumps(running.key))
        socket_url = running.base.replace("http", "ws")
        self._environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAX_", "COINBASE_"))} | {
            "TRAIDER_STATE_DIR": str(self.state_dir),
            "COINBASE_KEY_FILE": str(key_file),
            "COINBASE_REST_URL": running.base,
            "COINBASE_WS_URL": socket_url,
            "COINBASE_WS_USER_URL": socket_url,
            "LIVE_TRADING_DEFAULT": "true",
            "DRY_RUN": "false",
            "MAX_ORDER_NOTIONAL": "1000",
            "MAX_GROSS_EXPOSURE": "100000",
            "MAX_DAILY_LOSS": "1000",
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(COMMAND, env=self._environment, stdout=log, stderr=log, start_new_session=True)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)

    def stop(self) -> int:
        """As Ctrl-C does; the exit status."""
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        return self._process.wait(20)

    async def trader(self, ear: Ear) -> GuardClient:
        """A trader, for whom the gates are open."""
        client = await self._connected(ear)
        if not (self.state_dir / "live.json").exists():
            await enable(self.state_dir, client)
        index = (await client.snapshot()).last_index + 1
        now_ns = SystemClock().now_ns()
        await client.feed([MarketEvent(index=index, kind=EventKind.TRADE, symbol="BTC-USD", ts_ns=now_ns, a=100.0, b=1.0)])
        async with asyncio.timeout(PATIENCE_S):
            while ear.gates:  # noqa: ASYNC110  # told by another process
                await asyncio.sleep(0.01)
        return client

    async def _connected(self, ear: Ear) -> GuardClient:
        async with asyncio.timeout(FIRST_START_S):
            while True:
                try:
                    return await GuardClient.connect(*find_guard(self.state_dir), ear, role="trader", client="t", session="s")
                except (LinkError, FileNotFoundError):
                    assert self._process is not None
                    assert self._process.poll() is None, self.log.read_text()
                    await asyncio.sleep(0.02)


async def enable(state_dir: Path, client: GuardClient) -> None:
    """Writes the yes that ``traider enable-live`` writes, as soon as the guard knows whose key it has."""
    async with asyncio.timeout(PATIENCE_S):
        while not (key := await client.key()).venue:  # noqa: ASYNC110 - the guard is another process
            await asyncio.sleep(0.02)
    now_ns = SystemClock().now_ns()
    yes = Authorization(
        venue=key.venue,
        account=key.account,
        strategy="t",
        strategy_sha256="0",
        parameters={},
        symbol=(await client.snapshot()).instruments[0].symbol,
        bars="",
        limits_sha256=key.limits_sha256,
        by="owner",
        made_ns=now_ns,
        expires_ns=now_ns + WEEK_NS,
    )
    write_authorization(state_dir, yes)


def total(running: Running, currency: str) -> Decimal:
    """What the exchange holds of it for the account, free and held."""
    wallet = running.account.wallets[currency]
    return Decimal(wallet.available + wallet.hold) / 10**24
