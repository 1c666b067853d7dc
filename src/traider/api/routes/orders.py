"""Orders and fills, newest first."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from traider.api.access import Authenticated
from traider.api.deps import ApiDep
from traider.api.errors import answers
from traider.api.schemas import FillOut, OrderOut

router = APIRouter(prefix="/api", tags=["orders"])

Limit = Annotated[int, Query(ge=1, le=5000)]


@router.get("/orders", responses=answers(401, 422, 503))
async def orders(user: Authenticated, api: ApiDep, status: Literal["open", "all"] = "open", limit: Limit = 200) -> list[OrderOut]:
    """Open orders are those that can still fill: pending, open, partially filled, unknown."""
    return await api.reads.orders(open_only=status == "open", limit=limit)


@router.get("/fills", responses=answers(401, 422, 503))
async def fills(user: Authenticated, api: ApiDep, limit: Limit = 200) -> list[FillOut]:
    return await api.reads.fills(limit)
