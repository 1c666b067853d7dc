"""``traider download coinbase`` as a trader uses it, before the exchange simulator over real sockets."""

import json
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_exchange_sim import free_port, serving
from traider.cli.main import run
from traider.storage.market import read_market_file
from traider.storage.market.downloaded import read_downloaded

# Six hours of made-up minutes are told from before the simulator's start.
SIMULATOR = ["--virtual", "--virtual-start", "2026-01-02T12:00:00Z", "--switch", "limits=false"]
MINUTE_NS = 60 * 10**9


@pytest.fixture(scope="module")
def simulator() -> Iterator[tuple[int, int]]:
    """The exchange's port and that of its control."""
    control = free_port()
    with serving("--control-port", str(control), *SIMULATOR) as port:
        yield port, control


@pytest.fixture(autouse=True)
def _here(simulator: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COINBASE_REST_URL", f"http://127.0.0.1:{simulator[0]}")
    monkeypatch.setenv("TRAIDER_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)


def told(capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> str:
    """What it prints, on stdout where it went well, else the one line on stderr."""
    assert run(["download", "coinbase", *words]) == status
    printed = capsys.readouterr()
    if status == 0:
        assert printed.err == ""
        return printed.out
    (line,) = printed.err.splitlines()
    assert line.startswith("error: ")
    return line


def control(simulator: tuple[int, int], method: str, path: str, body: object = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    asked = urllib.request.Request(f"http://127.0.0.1:{simulator[1]}{path}", data=data, method=method)
    with urllib.request.urlopen(asked, timeout=10) as reply:
        return json.load(reply)


def files() -> list[str]:
    return sorted(path.name for path in Path.cwd().iterdir() if path.is_file())


def test_a_download_is_backtested(capsys: pytest.CaptureFixture[str]) -> None:
    out = told(capsys, "btc-usd", "--bars", "1m", "--from", "2026-01-02T06:30", "--to", "2026-01-02T11:30")
    assert out.splitlines() == [
        "BTC-USD by 1m of Coinbase, prices as traded",
        "  bars   300",
        "  first  2026-01-02 06:30 UTC",
        "  last   2026-01-02 11:29 UTC",
        "  gaps   none",
        "  file   btc-usd_1m.parquet",
    ]
    file = read_market_file(Path("btc-usd_1m.parquet"))
    assert (file.symbols, str(file.price_increment), len(file)) == (("BTC-USD",), "0.01", 300)
    assert run(["backtest", "sma_cross", "--data", "btc-usd_1m.parquet", "--quantity", "0.1", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["instrument"], result["events"], result["notes"]) == ("BTC-USD", 300, {"bar_interval_ns": MINUTE_NS})
    assert result["fills"] > 0


def test_a_file_is_extended_by_what_is_missing_and_is_then_what_one_download_is(capsys: pytest.CaptureFixture[str]) -> None:
    told(capsys, "BTC-USD", "--from", "2026-01-02T08:00", "--to", "2026-01-02T09:00", "--out", "grown.parquet")
    out = told(capsys, "BTC-USD", "--from", "2026-01-02T10:00", "--to", "2026-01-02T11:00", "--out", "grown.parquet")
    assert "  bars   180, 120 of them new" in out, "a file has no holes: the hour between is asked for, too"
    out = told(capsys, "BTC-USD", "--from", "2026-01-02T07:00", "--to", "2026-01-02T11:30", "--out", "grown.parquet")
    assert "  bars   270, 90 of them new" in out
    told(capsys, "BTC-USD", "--from", "2026-01-02T07:00", "--to", "2026-01-02T11:30", "--out", "whole.parquet")
    assert Path("grown.parquet").read_bytes() == Path("whole.parquet").read_bytes()
    state = Path("grown.parquet").stat()
    out = told(capsys, "BTC-USD", "--from", "2026-01-02T09:00", "--to", "2026-01-02T10:00", "--out", "grown.parquet")
    assert "  bars   270, none of them new" in out
    assert Path("grown.parquet").stat() == state, "it is not written again"


def test_the_bar_that_is_running_is_left_out_until_it_is_over(simulator: tuple[int, int], capsys: pytest.CaptureFixture[str]) -> None:
    def rows() -> list[tuple[object, ...]]:
        told(capsys, "BTC-USD", "--from", "2026-01-02T11:00", "--out", "now.parquet")
        file = read_market_file(Path("now.parquet"))
        return list(zip(file.ts_ns.tolist(), *(values.tolist() for values in file.columns.values()), strict=True))

    first = rows()
    control(simulator, "POST", "/clock", {"advance": 120})
    later = rows()
    assert later[:-2] == first


def test_gaps_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    out = told(capsys, "BTC-USD", "--bars", "1h", "--from", "2026-01-02", "--to", "2026-01-02T11:00")
    assert "  gaps   1, of 6 bars: nothing was traded then\n         2026-01-02 00:00 UTC, 6 bars\n" in out


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["XYZ-USD", "--from", "2026-01-02"], "Coinbase has no product XYZ-USD"),
        (["bitcoin", "--from", "2026-01-02"], "bitcoin is no product; write BASE-QUOTE"),
        (["BTC-USD"], "Missing option '--from'"),
        (["BTC-USD", "--from", "2026-02-30"], "--from 2026-02-30: write a date such as 2026-01-31"),
        (["BTC-USD", "--from", "yesterday"], "--from yesterday: write a date"),
        (["BTC-USD", "--from", "1969-12-31"], "--from 1969-12-31: is before 1970"),
        (["BTC-USD", "--from", "2999-01-01"], "--from 2999-01-01: lies in the future"),
        (["BTC-USD", "--from", "2026-01-01", "--to", "2999-01-01"], "--to 2999-01-01: lies in the future; leave it out"),
        (["BTC-USD", "--from", "2026-01-02", "--to", "2026-01-02"], "--to 2026-01-02 is not after --from 2026-01-02"),
        (["BTC-USD", "--from", "2026-01-02", "--bars", "7m"], "--bars 7m: there are bars of 1m, 5m, 15m, 30m, 1h, 2h, 4h, 6h, 1d"),
        (["BTC-USD", "--from", "2026-01-02", "--bars", "minute"], "--bars minute: there are"),
        (["BTC-USD", "--from", "2026-01-02", "--out", "bars.csv"], "--out bars.csv: give the name of a file that ends in .parquet"),
        (["BTC-USD", "--from", "2026-01-02T13:00"], "no bar that starts at 2026-01-02 13:00 UTC or later is complete yet"),
        (["BTC-USD", "--from", "2025-12-01", "--to", "2025-12-02"], "Coinbase has no bar of BTC-USD from 2025-12-01 00:00 UTC to"),
    ],
)
def test_what_is_wrong_is_one_line_and_no_file(words: list[str], complaint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert complaint in told(capsys, *words, status=2)
    assert files() == []


def test_a_file_of_something_else_is_not_touched_without_force(capsys: pytest.CaptureFixture[str], data_dir: Path) -> None:
    span = ("--from", "2026-01-02T08:00", "--to", "2026-01-02T09:00", "--out", "bars.parquet")
    recorded = (data_dir / "bars" / "coinbase_btcusd_1m_2018-05.parquet").read_bytes()
    Path("bars.parquet").write_bytes(recorded)
    assert "is no file that was downloaded; give another --out, or --force" in told(capsys, "BTC-USD", *span, status=2)
    assert Path("bars.parquet").read_bytes() == recorded
    assert "  bars   60\n" in told(capsys, "BTC-USD", "--force", *span)
    complaint = told(capsys, "BTC-USD", "--bars", "5m", *span, status=2)
    assert "holds BTC-USD by 1m of Coinbase, prices as traded, and BTC-USD by 5m of Coinbase, prices as traded were asked for" in complaint
    assert read_downloaded(Path("bars.parquet"))[0].bars_of.span_s == 60


def test_a_place_that_can_not_be_written_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    Path("file").write_text("")
    words = ("--from", "2026-01-02T08:00", "--to", "2026-01-02T09:00", "--out", "file/bars.parquet")
    assert "--out file/bars.parquet: can't be written" in told(capsys, "BTC-USD", *words, status=2)


def test_a_terminal_is_told_how_far_it_is(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert run(["download", "coinbase", "BTC-USD", "--from", "2026-01-02T08:00", "--to", "2026-01-02T09:00"]) == 0
    assert "BTC-USD 1m, days" in capsys.readouterr().err


def test_ctrl_c_in_the_middle_leaves_the_file_as_it_was(simulator: tuple[int, int], capsys: pytest.CaptureFixture[str]) -> None:
    """The exchange keeps silent over the second request for candles; the file that is there stays, and nothing lies beside it."""
    told(capsys, "BTC-USD", "--from", "2026-01-02T08:00", "--to", "2026-01-02T08:30")
    before = Path("btc-usd_1m.parquet").read_bytes()
    control(simulator, "POST", "/faults", [{"match": {"path": "*/candles", "nth": 2}, "do": "delay", "seconds": 3600}])
    seen = len(control(simulator, "GET", "/truth")["requests"])
    words = ["download", "coinbase", "BTC-USD", "--from", "2026-01-02T06:30", "--to", "2026-01-02T11:00"]
    process = subprocess.Popen([sys.executable, "-m", "traider.cli.main", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        for _ in range(400):
            asked = control(simulator, "GET", "/truth")["requests"][seen:]
            if sum(request["path"].endswith("/candles") for request in asked) == 2:
                break
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=10)
    finally:
        process.kill()
        control(simulator, "DELETE", "/faults")
    assert (process.returncode, out, err) == (130, b"", b"")
    assert (files(), Path("btc-usd_1m.parquet").read_bytes()) == (["btc-usd_1m.parquet"], before)
    told(capsys, *words[2:])
    assert len(read_market_file(Path("btc-usd_1m.parquet"))) == 270
