"""Whether it is alive, whether it is ready to trade, and what runs."""

from fastapi import APIRouter, Response

from traider.api.access import Authenticated
from traider.api.deps import ApiDep
from traider.api.errors import answers
from traider.api.schemas import HealthOut, ReadyOut, SystemOut

router = APIRouter(tags=["system"])


@router.get("/healthz")
async def healthz() -> HealthOut:
    """The process is alive and its loop turns."""
    return HealthOut(status="ok")


@router.get("/readyz", responses={503: {"model": ReadyOut, "description": "not ready, and why"}})
async def readyz(response: Response, api: ApiDep) -> ReadyOut:
    """Ready when the guard is connected, the store answers and market data is fresh."""
    ready = await api.readiness()
    response.status_code = 200 if ready.ready else 503
    return ready


@router.get("/api/system", responses=answers(401))
async def system(user: Authenticated, api: ApiDep) -> SystemOut:
    return api.live.system()
