"""Recent candles, from memory."""

from typing import Annotated

from fastapi import APIRouter, Query

from traider.api.access import Authenticated
from traider.api.deps import ApiDep
from traider.api.errors import answers
from traider.api.schemas import CandleOut

router = APIRouter(prefix="/api/market", tags=["market"])


@router.get("/candles", responses=answers(401, 422))
async def candles(user: Authenticated, api: ApiDep, symbol: str = "", limit: Annotated[int, Query(ge=1, le=5000)] = 500) -> list[CandleOut]:
    """Oldest first: the source's own bars, or candles of one second when it gives trades. No symbol is the session's own."""
    return api.live.candles(symbol, limit)
