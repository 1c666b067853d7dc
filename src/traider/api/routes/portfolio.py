"""What the account looks like, now and over time."""

from typing import Annotated

from fastapi import APIRouter, Query

from traider.api.access import Authenticated
from traider.api.deps import ApiDep
from traider.api.errors import answers
from traider.api.schemas import EquityPointOut, PortfolioOut

router = APIRouter(prefix="/api/portfolio", tags=["portfolio"])


@router.get("", responses=answers(401, 503))
async def portfolio(user: Authenticated, api: ApiDep) -> PortfolioOut:
    """The account as the guard last told it; 503 before it has told anything."""
    return await api.reads.portfolio()


@router.get("/equity", responses=answers(401, 422, 503))
async def equity(user: Authenticated, api: ApiDep, limit: Annotated[int, Query(ge=1, le=10_000)] = 1000) -> list[EquityPointOut]:
    """The newest ``limit`` points, oldest first: one a second for the last minutes, one a minute before."""
    return await api.reads.equity(limit)
