"""Every limit with its use and head-room, and the kill switch."""

from fastapi import APIRouter

from traider.api.access import Authenticated, Trader
from traider.api.deps import ApiDep
from traider.api.errors import answers
from traider.api.schemas import KillSwitchIn, RiskOut

router = APIRouter(prefix="/api/risk", tags=["risk"])


@router.get("", responses=answers(401, 503))
async def risk(user: Authenticated, api: ApiDep) -> RiskOut:
    return await api.reads.risk()


@router.post("/kill-switch", responses=answers(401, 403, 422, 503))
async def kill_switch(body: KillSwitchIn, user: Trader, api: ApiDep) -> RiskOut:
    """On: any trader, at once. Off: an admin with a reason. Both leave a row in the audit log. Answers the state after it."""
    return await api.kill_switch.set(on=body.on, reason=body.reason.strip(), user=user)
