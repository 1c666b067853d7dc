"""The simulated venue's settings (``kernel.simulation.Simulation``) in words, and as JSON has them: the one place for both."""

from typing import Literal

from ..kernel.simulation import IntrabarPath, Latency, LatencyKind, QueueModel, Simulation, Slippage, SlippageKind

Fidelity = Literal["bars", "trades", "quotes", "l2"]

_PATHS = {
    IntrabarPath.PESSIMISTIC: "Where one bar reaches both a stop and a limit, the stop is taken first: whatever is worse for the account.",
    IntrabarPath.HIGH_FIRST: "Within a bar the price is assumed to go from the open to the high, then to the low, then to the close.",
    IntrabarPath.LOW_FIRST: "Within a bar the price is assumed to go from the open to the low, then to the high, then to the close.",
    IntrabarPath.NEAREST_FIRST: "Within a bar the price is assumed to go first to the extreme that is nearer to the open.",
}
_SHARED = "A resting order moves up by trades, and by its share of what is cancelled behind and before it"
_QUEUES = {
    QueueModel.RISK_AVERSE: "A resting order moves up in its queue only by trades, as if everybody who cancels stood behind it.",
    QueueModel.POWER: f"{_SHARED}: by powers of {{power:g}} of the volumes.",
    QueueModel.LOG: f"{_SHARED}: by logarithms of the volumes.",
}


def sentences(simulation: Simulation, fidelity: Fidelity) -> list[str]:
    """What these settings mean for a run on such data, one sentence each; what has no meaning there is left out."""
    said = []
    if fidelity == "bars":
        said.append(_PATHS[simulation.path])
        said.append(_participation(simulation.participation))
    if fidelity == "l2":
        said.append(_QUEUES[simulation.queue].format(power=simulation.queue_power))
        said.append(
            "A resting order fills in the sizes of the trades that reach it."
            if simulation.partial_fills
            else "A resting order that is reached fills whole, whatever the size of the trade."
        )
    if not simulation.latency.is_zero:
        said.append(_latency(simulation.latency))
    if simulation.slippage.kind is not SlippageKind.NONE:
        said.append(_slippage(simulation.slippage))
    if simulation.liquidation_fee:
        said.append(f"A liquidation costs {percent(simulation.liquidation_fee)} of the notional.")
    if is_random(simulation):
        said.append(f"What is drawn at random is drawn by the seed {simulation.seed}.")
    return said


def not_modelled(simulation: Simulation, fidelity: Fidelity) -> str:
    """What a run with these settings on such data leaves out, in one sentence."""
    missing = []
    if fidelity in ("bars", "trades"):
        missing.append("spread")
    if simulation.slippage.kind is SlippageKind.NONE:
        missing.append("slippage")
    missing.append("market impact")
    if simulation.latency.is_zero:
        missing.append("latency")
    if fidelity != "l2":
        missing.append("queue position")
    return f"Not modelled: {', '.join([*missing, 'borrowing', 'taxes'])}."


def told(simulation: Simulation) -> dict[str, object]:
    """Every setting by its name, as JSON has it; times in nanoseconds."""
    latency, slippage = simulation.latency, simulation.slippage
    return {
        "path": str(simulation.path),
        "participation": simulation.participation,
        "queue": str(simulation.queue),
        "queue_power": simulation.queue_power,
        "partial_fills": simulation.partial_fills,
        "latency": {
            "kind": str(latency.kind),
            "out_ns": latency.out_ns,
            "back_ns": latency.back_ns,
            "sigma": latency.sigma,
            "rows": len(latency.series),
        },
        "slippage": {"kind": str(slippage.kind), "value": slippage.value},
        "liquidation_fee": simulation.liquidation_fee,
        "seed": simulation.seed,
    }


def short(simulation: Simulation, fidelity: Fidelity) -> str:
    """What differs from one setting to the next, in a few words; empty where all is as usual."""
    usual, parts = Simulation(), []
    if fidelity == "bars" and simulation.path is not usual.path:
        parts.append(f"path {simulation.path}")
    if fidelity == "bars" and simulation.participation is not None:
        parts.append(f"at most {percent(simulation.participation)} of the volume")
    if fidelity == "l2":
        parts.append(f"queue {simulation.queue}" + (f" {simulation.queue_power:g}" if simulation.queue is QueueModel.POWER else ""))
    if not simulation.latency.is_zero:
        parts.append(f"latency {simulation.latency.kind}")
    if simulation.slippage.kind is not SlippageKind.NONE:
        parts.append(f"slippage {simulation.slippage.kind} {simulation.slippage.value:g}")
    return ", ".join(parts)


def is_random(simulation: Simulation) -> bool:
    """Whether the seed decides anything."""
    return simulation.latency.kind is LatencyKind.LOGNORMAL and not simulation.latency.is_zero and simulation.latency.sigma > 0


def _participation(fraction: float | None) -> str:
    if fraction is None:
        return "A bar's volume does not limit what fills."
    return f"Own orders take at most {percent(fraction)} of a bar's volume; the rest waits for the next bar."


def _latency(latency: Latency) -> str:
    if latency.kind is LatencyKind.RECORDED:
        return f"Orders and fills take as long as was recorded ({len(latency.series):,} measurements)."
    times = f"{_milliseconds(latency.out_ns)} to the venue, fills {_milliseconds(latency.back_ns)} back"
    if latency.kind is LatencyKind.LOGNORMAL:
        return f"Orders take about {times}: the medians of a lognormal distribution with a sigma of {latency.sigma:g}."
    return f"Orders take {times}."


def _slippage(slippage: Slippage) -> str:
    by = {
        SlippageKind.TICKS: f"{slippage.value:g} price {'increment' if slippage.value == 1 else 'increments'}",
        SlippageKind.FRACTION: f"{percent(slippage.value)} of the price",
        SlippageKind.VOLUME_SHARE: f"{slippage.value:g} x the price x the square of the order's share of the volume",
    }
    return f"A taker fills worse than the rule's price by {by[slippage.kind]}."


def percent(fraction: float) -> str:
    """As a person writes a fee: ``0.1 %``."""
    return f"{fraction * 100:.6g} %"


def _milliseconds(ns: int) -> str:
    return f"{ns / 1e6:.6g} ms"
