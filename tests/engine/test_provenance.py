"""What a result was made of: in words for every setting of the simulated venue, and by the events that orders met."""

import json
from dataclasses import fields, replace

import pytest

from tests.research.markets import bars
from traider.domain.vocabulary import EventKind
from traider.engine import simulation_words
from traider.engine.manifest import code_of
from traider.engine.provenance import fidelity_of, provenance_of
from traider.engine.report import fidelity
from traider.engine.simulation_words import Fidelity
from traider.kernel.simulation import (
    Fees,
    FeeTier,
    FillMode,
    IntrabarPath,
    Latency,
    LatencyKind,
    QueueModel,
    Simulation,
    Slippage,
    SlippageKind,
    latency_rows,
)

KINDS: tuple[Fidelity, ...] = ("bars", "trades", "quotes", "l2")
MS = 1_000_000


def said(kind: Fidelity, **settings: object) -> str:
    return " ".join(simulation_words.sentences(replace(Simulation(), **settings), kind))  # type: ignore[arg-type]  # by name


def test_every_way_through_a_bar_has_its_own_words() -> None:
    words = {said("bars", path=path) for path in IntrabarPath}
    assert len(words) == len(IntrabarPath)
    assert "stop is taken first" in said("bars")
    assert "open to the low" in said("bars", path=IntrabarPath.LOW_FIRST)
    assert "stop" not in said("trades")  # a trade has no inside


def test_every_queue_model_has_its_own_words() -> None:
    words = {said("l2", queue=queue, queue_power=2.5) for queue in QueueModel}
    assert len(words) == len(QueueModel)
    assert "only by trades" in said("l2")
    assert "2.5" in said("l2", queue=QueueModel.POWER, queue_power=2.5)
    assert "fills whole" in said("l2")
    assert "in the sizes of the trades" in said("l2", partial_fills=True)
    assert "queue" not in said("bars")


def test_participation() -> None:
    assert "does not limit" in said("bars")
    assert "at most 2.5 % of a bar's volume" in said("bars", participation=0.025)


@pytest.mark.parametrize("kind", KINDS)
def test_every_latency_has_its_own_words(kind: Fidelity) -> None:
    constant = Latency(out_ns=3 * MS, back_ns=MS // 2)
    drawn = replace(constant, kind=LatencyKind.LOGNORMAL, sigma=0.4)
    recorded = latency_rows([(0, MS, MS), (10, 2 * MS, MS)])
    assert "3 ms to the venue, fills 0.5 ms back" in said(kind, latency=constant)
    assert "sigma of 0.4" in said(kind, latency=drawn)
    assert "drawn by the seed 7" in said(kind, latency=drawn, seed=7)
    assert "seed" not in said(kind, latency=constant, seed=7)
    assert "2 measurements" in said(kind, latency=recorded)
    for latency in (constant, drawn, recorded):
        assert "latency" not in simulation_words.not_modelled(Simulation(latency=latency), kind)
    assert "latency" in simulation_words.not_modelled(Simulation(), kind)


def test_every_slippage_has_its_own_words() -> None:
    words = {said("bars", slippage=Slippage(kind, 2.0)) for kind in SlippageKind}
    assert len(words) == len(SlippageKind)
    assert "2 price increments" in said("trades", slippage=Slippage(SlippageKind.TICKS, 2.0))
    assert "by 1 price increment." in said("trades", slippage=Slippage(SlippageKind.TICKS, 1.0))
    assert "0.05 % of the price" in said("bars", slippage=Slippage(SlippageKind.FRACTION, 0.0005))
    assert "slippage" not in simulation_words.not_modelled(Simulation(slippage=Slippage(SlippageKind.TICKS, 1.0)), "bars")


def test_what_is_not_modelled_depends_on_the_data() -> None:
    missing = {kind: simulation_words.not_modelled(Simulation(), kind) for kind in KINDS}
    assert [kind for kind in KINDS if "spread" in missing[kind]] == ["bars", "trades"]
    assert [kind for kind in KINDS if "queue position" in missing[kind]] == ["bars", "trades", "quotes"]


def test_every_setting_is_told_as_json_has_it() -> None:
    settings = Simulation(latency=latency_rows([(0, MS, MS)]), slippage=Slippage(SlippageKind.TICKS, 1.0), participation=0.1)
    told = simulation_words.told(settings)
    assert set(told) == {field.name for field in fields(Simulation)}
    assert json.loads(json.dumps(told)) == told
    assert (told["path"], told["participation"]) == ("pessimistic", 0.1)


def test_the_short_form_names_what_is_not_as_usual() -> None:
    assert simulation_words.short(Simulation(), "bars") == ""
    assert simulation_words.short(Simulation(), "l2") == "queue risk-averse"
    unusual = Simulation(
        path=IntrabarPath.HIGH_FIRST, participation=0.1, latency=Latency(out_ns=1), slippage=Slippage(SlippageKind.TICKS, 2)
    )
    assert simulation_words.short(unusual, "bars") == (
        "path open-high-low-close, at most 10 % of the volume, latency constant, slippage ticks 2"
    )


def test_the_reports_rules_follow_the_settings() -> None:
    usual = fidelity.fill_rules("bars", FillMode.NEXT_OPEN)
    other = fidelity.fill_rules("bars", FillMode.NEXT_OPEN, Simulation(slippage=Slippage(SlippageKind.TICKS, 1.0)))
    assert "slippage" in usual[-1]
    assert "slippage" not in other[-1]
    assert any("1 price increment" in rule for rule in other)


def test_the_finest_events_are_what_orders_meet() -> None:
    def of(*kinds: EventKind) -> str:
        return fidelity_of(sum(1 << kind for kind in kinds))

    assert of(EventKind.BAR) == "bars"
    assert of(EventKind.TRADE) == "trades"
    assert of(EventKind.TRADE, EventKind.DEPTH, EventKind.QUOTE) == "l2"
    assert of(EventKind.BAR, EventKind.TRADE) == "trades"
    assert of(EventKind.QUOTE, EventKind.TRADE) == "quotes", "trades reach what rests, quotes are what orders meet"
    assert of() == "bars"


def test_a_result_says_everything_that_it_was_made_of() -> None:
    spec, tape, sha256 = bars(100)
    fees = Fees(maker=0.0005, taker=0.001, tiers=(FeeTier(1e6, 0.0, 0.0008),))
    made_of = provenance_of(
        replace(spec, fees=fees, fill=FillMode.SAME), tape.shape.kinds, data_sha256=sha256, code=code_of(spec.strategy), seed=3
    )
    told = made_of.to_dict()
    assert json.loads(json.dumps(told)) == told
    assert (told["fidelity"], told["fill"], told["seed"], told["data_sha256"]) == ("bars", "same", 3, sha256)
    assert told["fees"] == {"maker": 0.0005, "taker": 0.001, "tiers": [{"volume": 1e6, "maker": 0.0, "taker": 0.0008}]}
    for name in ("strategy_sha256", "kernel_sha256"):
        assert len(str(told[name])) == 64
    line = made_of.line()
    assert line.startswith("bars, fills same, fees 0.1 % taker, 0.05 % maker (tiers), seed 3; data ")
    assert sha256[:12] in line
