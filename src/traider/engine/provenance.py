"""What a result was made of, said beside every result: fidelity, fill and fee model, hashes, seed."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..domain.vocabulary import EventKind
from ..kernel.simulation import Fees, FillMode, Simulation
from . import simulation_words
from .backtest import BacktestSpec
from .manifest import Code

FIDELITY: dict[EventKind, simulation_words.Fidelity] = {
    EventKind.BAR: "bars",
    EventKind.TRADE: "trades",
    EventKind.QUOTE: "quotes",
    EventKind.DEPTH: "l2",
}
FILLS = {FillMode.NEXT_OPEN: "next-open", FillMode.NEXT_CLOSE: "next-close", FillMode.SAME: "same"}


@dataclass(frozen=True)
class Provenance:
    """``seed`` is of whatever was drawn at random; None where nothing was."""

    fidelity: simulation_words.Fidelity
    fill: str
    fees: Fees
    data_sha256: str
    code: Code
    seed: int | None = None
    simulation: Simulation = field(default_factory=Simulation)

    def to_dict(self) -> dict[str, object]:
        """As JSON has it."""
        return {
            "fidelity": self.fidelity,
            "fill": self.fill,
            "fees": fees_told(self.fees),
            "simulation": simulation_words.told(self.simulation),
            "data_sha256": self.data_sha256,
            "strategy_sha256": self.code.strategy_sha256,
            "kernel_sha256": self.code.kernel_sha256,
            "traider": self.code.traider,
            "seed": self.seed,
        }

    def line(self) -> str:
        """The same in one line, for a table or a picture."""
        venue = simulation_words.short(self.simulation, self.fidelity)
        parts = [
            self.fidelity,
            *([f"fills {self.fill}"] if self.fidelity in ("bars", "trades") else []),  # quotes and books have no such choice
            f"fees {simulation_words.percent(self.fees.taker)} taker, {simulation_words.percent(self.fees.maker)} maker"
            + (" (tiers)" if self.fees.tiers else ""),
            *([venue] if venue else []),
            *([] if self.seed is None else [f"seed {self.seed}"]),
        ]
        hashes = ", ".join(
            f"{name} {sha256[:12]}"
            for name, sha256 in (("data", self.data_sha256), ("strategy", self.code.strategy_sha256), ("engine", self.code.kernel_sha256))
        )
        return f"{', '.join(parts)}; {hashes}"


def provenance_of(spec: BacktestSpec, kinds: int, *, data_sha256: str, code: Code, seed: int | None = None) -> Provenance:
    """``kinds`` is a stream's bit mask of 1 << EventKind."""
    return Provenance(fidelity_of(kinds), FILLS[spec.fill], spec.fees, data_sha256, code, seed, spec.simulation)


def fidelity_of(kinds: int) -> simulation_words.Fidelity:
    """What orders are matched against, in a stream of these kinds."""
    return next((FIDELITY[kind] for kind in (EventKind.DEPTH, EventKind.QUOTE, EventKind.TRADE) if kinds >> kind & 1), "bars")


def fees_told(fees: Fees) -> Mapping[str, object]:
    """The fee schedule as JSON has it; fractions of the notional."""
    tiers = [{"volume": tier.volume, "maker": tier.maker, "taker": tier.taker} for tier in fees.tiers]
    return {"maker": fees.maker, "taker": fees.taker, "tiers": tiers}
