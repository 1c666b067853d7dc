"""What ``traider up`` and ``traider live`` trade: a market source, a strategy, and the name of the session that both make."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from traider.connectors.sim.replay import Replay
from traider.domain.errors import UserError
from traider.domain.guard_protocol import Snapshot
from traider.domain.instruments import Instrument
from traider.engine.live import LiveSession
from traider.engine.recorded import RecordedSession, begin, rerun, session_of
from traider.kernel.kit import Strategy
from traider.services.trader import MarketSource, Resumed
from traider.storage.session_file import SessionFile, read_session, session_path


@dataclass(frozen=True)
class PaperPlan:
    """A strategy on one market, which ``source_of`` gives."""

    strategy_class: type[Strategy]
    values: Mapping[str, object]
    instrument: Instrument
    description: Mapping[str, object]
    source_of: "SourceOf"
    interpreted: bool = False
    others: tuple[Instrument, ...] = ()
    kinds: int = 0  # of the events that the market may bring: a bit mask, 1 << kind; 0 where that is not known

    def session(self, snapshot: Snapshot) -> str:
        """What runs: the session that runs already where it is the same, else a new one."""
        ours = {"strategy": self.strategy_class.name, "values": self.strategy_class(**self.values).values(), **self.description}
        return json.dumps(ours, sort_keys=True)

    def source(self, snapshot: Snapshot) -> MarketSource:
        return self.source_of()

    def strategy(self, snapshot: Snapshot) -> LiveSession:
        """A fresh strategy over a mirror of the account as it was when the session began."""
        account = snapshot.session_start or snapshot.account
        session = LiveSession(
            self.strategy_class(**self.values),
            (self.instrument, *self.others),
            session_id=snapshot.session_id,
            cash=account.cash,
            interpreted=self.interpreted,
            kinds=self.kinds,
        )
        session.restore(msgspec.structs.replace(snapshot, account=account, open_orders=()))
        return session

    def resume(self, snapshot: Snapshot) -> None:
        """There is no recording: the market is asked to repeat itself."""


@dataclass(frozen=True)
class RecordingPlan:
    """A plan whose session is recorded in the state directory, and goes on from there."""

    plan: PaperPlan
    state_dir: Path
    strategy_name: str
    _files: list[SessionFile] = field(default_factory=list)  # the one that is being written

    @property
    def kinds(self) -> int:
        return self.plan.kinds

    def session(self, snapshot: Snapshot) -> str:
        return self.plan.session(snapshot)

    def source(self, snapshot: Snapshot) -> MarketSource:
        return self.plan.source(snapshot)

    def strategy(self, snapshot: Snapshot) -> RecordedSession:
        """A fresh strategy, whose recording begins here."""
        account = snapshot.session_start or snapshot.account
        begun = begin(
            msgspec.structs.replace(snapshot, account=account, open_orders=()),
            self.plan.strategy_class(**self.plan.values),
            name=self.strategy_name,
            instruments=(self.plan.instrument, *self.plan.others),
            interpreted=self.plan.interpreted,
            kinds=self.plan.kinds,
        )
        file = self._open(snapshot)
        file.write(begun)
        return RecordedSession(session_of(begun, self.plan.strategy_class), file.write)

    def resume(self, snapshot: Snapshot) -> Resumed | None:
        """The strategy as its recording leaves it; a strategy or an engine that was changed since is refused."""
        path = session_path(self.state_dir, snapshot.session_id)
        if not path.exists():
            return None
        file = self._open(snapshot)  # cuts what a crash has torn off
        run = rerun(lambda: read_session(path), lambda _: self.plan.strategy_class)
        if run.session is None:
            return None
        if run.divergence is not None:
            raise UserError(f"{path}: the strategy does not decide as it did ({run.divergence}): choose another --state-dir")
        return Resumed(RecordedSession(run.session, file.write), run)

    def _open(self, snapshot: Snapshot) -> SessionFile:
        self.close()
        self._files.append(SessionFile(session_path(self.state_dir, snapshot.session_id)))
        return self._files[-1]

    def close(self) -> None:
        """Lets go of the recording."""
        while self._files:
            self._files.pop().close()


SourceOf = Callable[[], MarketSource]


def replayed(replay: Replay) -> tuple[SourceOf, dict[str, object]]:
    """A recorded market: its source, and what names it."""
    return (lambda: replay), dict(replay.description)
