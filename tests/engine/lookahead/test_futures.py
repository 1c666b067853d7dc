"""Another future keeps the past bit for bit, is a valid market, and tells nothing of the recorded direction."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from traider.engine.lookahead.futures import Columns, Grid, Jump, changed

CENT = Grid(Decimal("0.01"), 1e6)
JUMPS: tuple[Jump, ...] = ("higher", "lower")


def bars(rows: int, seed: int, volatility: float = 0.01) -> Columns:
    """A random walk of whole cents, at some 100, with bars around it."""
    random = np.random.default_rng(seed)
    close = np.round(100.0 * np.exp(np.cumsum(random.normal(0.0, volatility, rows))), 2).clip(0.05)
    open_ = np.round(close * np.exp(random.normal(0.0, volatility, rows)), 2).clip(0.05)
    high = np.round(np.maximum(open_, close) * 1.001, 2)
    low = np.round(np.minimum(open_, close) * 0.999, 2).clip(0.01)
    return {"open": open_, "high": high, "low": low, "close": close, "volume": random.uniform(0.0, 9.0, rows)}


def trades(rows: int, seed: int) -> Columns:
    random = np.random.default_rng(seed)
    price = np.round(100.0 + np.cumsum(random.choice([-0.01, 0.0, 0.01], rows)), 2)
    return {"price": price, "size": random.uniform(0.001, 2.0, rows), "side": random.choice([-1.0, 0.0, 1.0], rows)}


def quotes(rows: int, seed: int) -> Columns:
    random = np.random.default_rng(seed)
    bid = np.round(100.0 + np.cumsum(random.choice([-0.01, 0.0, 0.01], rows)), 2)
    ask = np.round(bid + random.choice([0.01, 0.02, 0.05], rows), 2)
    return {"bid": bid, "bid_size": random.uniform(0.0, 2.0, rows), "ask": ask, "ask_size": random.uniform(0.0, 2.0, rows)}


@given(st.integers(2, 200), st.integers(0, 10**6), st.sampled_from(JUMPS), st.sampled_from([0.0, 0.01, 0.5]), st.data())
def test_bars_keep_their_past_and_stay_bars(rows: int, seed: int, future: Jump, volatility: float, data: st.DataObject) -> None:
    recorded = bars(rows, seed, volatility)
    cut = data.draw(st.integers(1, rows - 1))
    other = changed("bars", recorded, cut, future, grid=CENT, seed=seed)
    for name, column in recorded.items():
        assert other[name][:cut].tobytes() == column[:cut].tobytes()
        assert len(other[name]) == rows
    assert (other["high"] >= other["low"]).all()
    for name in ("open", "close"):
        assert ((other["low"] <= other[name]) & (other[name] <= other["high"])).all()
    for name in ("open", "high", "low", "close"):
        assert (other[name] > 0.0).all()
        assert (other[name] <= CENT.ceiling).all()
        assert np.round(other[name], 2).tolist() == other[name].tolist()
    assert (other["volume"] >= 0.0).all()


@pytest.mark.parametrize(("kind", "recorded", "price"), [("bars", bars(300, 1), "close"), ("trades", trades(300, 1), "price")])
def test_the_next_price_jumps_up_in_one_future_and_down_in_the_other(kind: str, recorded: Columns, price: str) -> None:
    for cut in (1, 150, 299):
        higher, lower = (changed(kind, recorded, cut, future, grid=CENT, seed=3)[price][cut] for future in JUMPS)
        before = recorded[price][cut - 1]
        assert higher > before * 1.5
        assert lower < before * 0.7


@given(st.integers(0, 10**6), st.sampled_from(JUMPS))
def test_trades_stay_trades(seed: int, future: Jump) -> None:
    recorded = trades(50, seed)
    other = changed("trades", recorded, 20, future, grid=CENT, seed=seed)
    assert (other["size"] > 0.0).all()
    assert set(np.abs(other["side"])) <= {0.0, 1.0}
    assert (other["side"] == 0.0).tolist() == (recorded["side"] == 0.0).tolist()


@given(st.integers(2, 80), st.integers(0, 10**6), st.sampled_from(JUMPS), st.data())
def test_quotes_keep_their_past_their_spread_and_their_increment(rows: int, seed: int, future: Jump, data: st.DataObject) -> None:
    recorded = quotes(rows, seed)
    cut = data.draw(st.integers(1, rows - 1))
    other = changed("quotes", recorded, cut, future, grid=CENT, seed=seed)
    for name, column in recorded.items():
        assert other[name][:cut].tobytes() == column[:cut].tobytes()
    assert (other["bid"] > 0.0).all()
    assert np.round(other["ask"] - other["bid"], 2).tolist() == np.round(recorded["ask"] - recorded["bid"], 2).tolist()
    assert np.round(other["bid"], 2).tolist() == other["bid"].tolist()
    before = (recorded["bid"][cut - 1] + recorded["ask"][cut - 1]) / 2
    assert (other["bid"][cut] > before * 1.5) if future == "higher" else (other["ask"][cut] < before * 0.7)


def test_volumes_change_in_their_largest_their_mean_and_their_order() -> None:
    recorded = bars(300, 2)
    volumes = [changed("bars", recorded, 150, future, grid=CENT, seed=0)["volume"][150:] for future in JUMPS]
    own = recorded["volume"][150:]
    assert volumes[0].max() > own.max() > volumes[1].max()
    assert volumes[0].mean() > own.mean() > volumes[1].mean()
    assert np.argsort(volumes[0]).tolist() != np.argsort(own).tolist()


def test_the_signs_of_the_moves_are_a_coins() -> None:
    recorded = bars(20_000, 5, 0.001)
    other = changed("bars", recorded, 1, "lower", grid=CENT, seed=1)
    before, after = (np.sign(np.diff(columns["close"][1:])) for columns in (recorded, other))
    both = (before != 0.0) & (after != 0.0)
    agree = float((before[both] == after[both]).mean())
    assert abs(agree - 0.5) < 4.0 * 0.5 / np.sqrt(both.sum())  # four deviations of a fair coin


def test_a_seed_gives_one_future_and_another_seed_another() -> None:
    recorded = bars(100, 1)
    one, again, other = (changed("bars", recorded, 50, "higher", grid=CENT, seed=seed)["close"].tobytes() for seed in (1, 1, 2))
    assert one == again != other


def test_prices_stay_on_an_increment_that_is_no_power_of_ten() -> None:
    recorded = {"price": np.arange(1.0, 101.0) * 0.25, "size": np.ones(100), "side": np.zeros(100)}
    other = changed("trades", recorded, 10, "higher", grid=Grid(Decimal("0.25"), 1e4), seed=0)
    assert np.mod(other["price"], 0.25).tolist() == [0.0] * 100


@pytest.mark.parametrize("cut", [0, 100])
def test_a_cut_leaves_a_past_and_a_future(cut: int) -> None:
    with pytest.raises(ValueError, match="leaves no past or no future"):
        changed("bars", bars(100, 0), cut, "higher", grid=CENT, seed=0)
