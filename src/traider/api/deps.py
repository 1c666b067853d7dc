"""What the app is given (``ApiDeps``), and what it makes of it once (``Api``), which every route receives."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from fastapi import Depends, Request

from traider.domain.errors import StoreError
from traider.domain.ports import Bus, Clock, GuardPort
from traider.runtime.settings import ApiSettings
from traider.storage.access import AccessStore
from traider.storage.repository import Repository

from .kill_switch import KillSwitch
from .live import LiveView, SessionInfo
from .passwords import Passwords
from .pump import Pump
from .reads import Reads
from .schemas import ReadyOut
from .sessions import Sessions
from .sse import HEARTBEAT_S, Hub


@dataclass(frozen=True, kw_only=True)
class ApiDeps:
    """Everything the app needs from outside. ``static_dir`` holds the built dashboard; it need not exist."""

    guard: GuardPort
    bus: Bus
    clock: Clock
    repository: Repository
    access: AccessStore
    secret: bytes
    settings: ApiSettings
    session: SessionInfo
    static_dir: Path | None = None
    passwords: Passwords | None = None  # the recommended hashing where none is given
    heartbeat_s: float = HEARTBEAT_S


@dataclass(frozen=True, kw_only=True)
class Api:
    """The parts that routes work with; one of each for the life of the app."""

    deps: ApiDeps
    live: LiveView
    hub: Hub
    reads: Reads
    sessions: Sessions
    kill_switch: KillSwitch
    pump: Pump

    async def readiness(self) -> ReadyOut:
        """Whether it may trade, with every reason why not."""
        reasons = self.live.problems()
        if not self.pump.running:
            reasons.append("the live view has stopped: restart the platform, its log says why")
        try:
            await self.deps.repository.ping()
        except StoreError as error:
            reasons.append(str(error))
        return ReadyOut(ready=not reasons, reasons=reasons)


def _api(request: Request) -> Api:
    api: Api = request.app.state.api
    return api


ApiDep = Annotated[Api, Depends(_api)]
