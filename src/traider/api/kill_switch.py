"""The kill switch, by hand: who may turn it, and what is written down about it."""

from structlog import get_logger

from traider.domain.errors import LinkError, StoreError
from traider.domain.ports import GuardPort
from traider.storage.access import AccessStore
from traider.storage.roles import Role

from .errors import ApiError
from .live import LiveView
from .schemas import RiskOut
from .sessions import Session
from .views import risk_out

log = get_logger("traider.api")

BY_HAND = "by hand"


class KillSwitch:
    """Stopping must never wait for paperwork, so its audit row comes after. Resuming must never lack it, so it comes before."""

    def __init__(self, *, guard: GuardPort, access: AccessStore, live: LiveView) -> None:
        self._guard = guard
        self._access = access
        self._live = live

    async def set(self, *, on: bool, reason: str, user: Session) -> RiskOut:
        """The limits' state after the switch was turned; ``ApiError`` when this user may not, ``LinkError`` when the guard is away."""
        if on:
            await self._stop(reason or BY_HAND, user)
        else:
            await self._resume(reason, user)
        snapshot = await self._guard.snapshot()
        self._live.risk = snapshot.risk
        return risk_out(snapshot.risk)

    async def _stop(self, reason: str, user: Session) -> None:
        try:
            await self._guard.set_kill_switch(on=True, reason=reason, by=user.username)
        except LinkError as error:
            await self._record_what_was_done(user.username, "kill_switch_on_failed", f"{reason}: {error}")
            raise
        await self._record_what_was_done(user.username, "kill_switch_on", reason)

    async def _resume(self, reason: str, user: Session) -> None:
        if not user.role.may(Role.ADMIN):
            raise ApiError(403, f"switching it off needs the role {Role.ADMIN}; you are {user.role}")
        if not reason:
            raise ApiError(422, "reason: switching it off needs a reason")
        await self._access.record(user.username, "kill_switch_off", reason)
        try:
            await self._guard.set_kill_switch(on=False, reason=reason, by=user.username)
        except LinkError as error:
            await self._record_what_was_done(user.username, "kill_switch_off_failed", f"{reason}: {error}")
            raise

    async def _record_what_was_done(self, who: str, action: str, detail: str) -> None:
        log.warning("kill switch", who=who, action=action, detail=detail)
        try:
            await self._access.record(who, action, detail)
        except StoreError as error:
            log.error("the audit log can't be written", who=who, action=action, detail=detail, error=str(error))
