"""``traider exchange-sim`` as scripts from outside use it."""

import json
import signal
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import socket
from typing import Any

import pytest

from traider.cli.main import run

TRAIDER = Path(sys.executable).with_name("traider")


def free_port() -> int:
    with socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def serving(*words: str | Path) -> Iterator[int]:
    """The process, once it listens; its port. It must end with 0 when it is asked to."""
    port = free_port()
    command = [sys.executable, "-m", "traider.cli.main", "exchange-sim", "--port", str(port), *map(str, words)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("exchange on http"), line + (process.stderr.read() if process.stderr else "")
        yield port
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.communicate()


def fetch(url: str, context: ssl.SSLContext | None = None) -> Any:
    with urllib.request.urlopen(url, timeout=5, context=context) as reply:
        return json.load(reply)


def test_a_recording_is_served_with_a_key_and_a_control_port(tmp_path: Path, data_dir: Path) -> None:
    key, control = tmp_path / "key.json", free_port()
    replay = data_dir / "trades" / "coinbase_btcusd_trades_2018-04-16.parquet"
    with serving("--control-port", str(control), "--product", "BTC-USD", "--replay", replay, "--speed", "10", "--key-out", key) as port:
        content = json.loads(key.read_text())
        assert (content.keys(), key.stat().st_mode & 0o777) == ({"name", "privateKey"}, 0o600)
        base = f"http://127.0.0.1:{port}/api/v3/brokerage"
        assert abs(int(fetch(f"{base}/time")["epochMillis"]) / 1000 - time.time()) < 5
        assert 7000 < float(fetch(f"{base}/market/products/BTC-USD")["price"]) < 9000
        balances = fetch(f"http://127.0.0.1:{control}/truth")["balances"]["main"]
        assert (float(balances["USD"]["available"]) > 0, float(balances["BTC"]["available"]) > 0) == (True, True)
        with pytest.raises(urllib.error.HTTPError, match="401"):
            fetch(f"{base}/accounts")


def test_with_tls_the_authority_is_written_beside_the_key(tmp_path: Path) -> None:
    key = tmp_path / "key.json"
    with serving("--tls", "--key-out", key, "--key-kind", "ed25519") as port:
        assert json.loads(key.read_text()).keys() == {"id", "privateKey"}
        context = ssl.create_default_context(cafile=tmp_path / "key.ca.pem")
        assert fetch(f"https://localhost:{port}/api/v3/brokerage/time", context)["epochSeconds"]
        with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
            fetch(f"https://localhost:{port}/api/v3/brokerage/time")


def test_further_accounts_funds_switches_and_virtual_time(tmp_path: Path) -> None:
    control, bob = free_port(), tmp_path / "bob.json"
    words = [
        "--control-port",
        str(control),
        "--virtual",
        "--virtual-start",
        "2026-01-01T00:00:00Z",
        "--fund",
        "USD=5",
        "--product",
        "ETH-USD",
    ]
    with serving(
        *words, "--account", f"bob:{bob}:ed25519:view:USD=7+ETH=0.5", "--switch", "cancel_delay_s=2.5", "--switch", "limits=false"
    ):
        truth = fetch(f"http://127.0.0.1:{control}/truth")
        assert truth["balances"]["main"]["USD"]["available"] == "5"
        assert [truth["balances"]["bob"][currency]["available"] for currency in ("USD", "ETH")] == ["7", "0.5"]
        assert json.loads(bob.read_text()).keys() == {"id", "privateKey"}
        switches = fetch(f"http://127.0.0.1:{control}/switches")
        assert (switches["cancel_delay_s"], switches["limits"]) == (2.5, False)
        assert fetch(f"http://127.0.0.1:{control}/clock")["iso"] == "2026-01-01T00:00:00.000000000Z"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--replay", "nothing.parquet"], "nothing.parquet: there is no such file"),
        (["--replay", "ETH-USD=nothing.parquet"], "ETH-USD is not one of --product BTC-USD"),
        (["--product", "btc"], "--product btc: write BASE-QUOTE"),
        (["--product", "BTC-USD", "--product", "BTC-USD"], "--product BTC-USD: is listed already"),
        (["--product", "BTC-USDC", "--product", "BTC-USD"], "--product BTC-USDC: is listed already"),
        (["--switch", "user_batch=0"], "--switch user_batch=0: Expected `int` >= 1"),
        (["--speed", "0"], "--speed and --steps-per-s are numbers above 0"),
        (["--fund", "USD"], "--fund USD: write CURRENCY=AMOUNT"),
        (["--switch", "colour=red"], "there are: client_order_ids"),
        (["--switch", "queue=sideways"], "--switch queue=sideways: Invalid enum value 'sideways'"),
        (["--account", "bob"], "--account bob: write NAME:FILE"),
        (["--account", "bob:bob.json::fly"], "--account bob:bob.json::fly: write NAME:FILE"),
        (["--account", "bob:bob.json:::USD"], "--account USD: write CURRENCY=AMOUNT"),
        (["--account", "bob:bob.json:rsa"], "rsa is no kind of key; give ecdsa or ed25519"),
        (["--key-kind", "rsa"], "--key-kind: rsa is no kind of key"),
        (["--key-out", "no/such/folder/key.json"], "its folder is not there"),
        (["--tls"], "--tls and --tls-port need --key-out"),
        (["--virtual-start", "2026-01-01T00:00:00Z"], "needs --virtual"),
        (["--virtual", "--virtual-start", "yesterday"], "a time such as 2026-01-01T00:00:00Z"),
        (["--price-increment", "1e-13", "--size-increment", "1e-13"], "give coarser increments"),
        (["--port", "70000"], "less than or equal to 65535"),
    ],
)
def test_what_is_wrong_is_one_line_and_exit_status_2(
    words: list[str], complaint: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["exchange-sim", *words]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert complaint in lines[0]


def test_a_port_in_use_is_one_line_and_exit_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    with socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert run(["exchange-sim", "--port", str(port)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines == [f"error: 127.0.0.1:{port} can't be listened on: Address already in use; give another port"]
