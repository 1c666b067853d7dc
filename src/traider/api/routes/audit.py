"""The audit log, newest first."""

from typing import Annotated

from fastapi import APIRouter, Query

from traider.api.access import Admin
from traider.api.deps import ApiDep
from traider.api.errors import answers
from traider.api.schemas import AuditRowOut

router = APIRouter(prefix="/api/audit", tags=["audit"])


@router.get("", responses=answers(401, 403, 422, 503))
async def audit(user: Admin, api: ApiDep, limit: Annotated[int, Query(ge=1, le=5000)] = 100) -> list[AuditRowOut]:
    return await api.reads.audit(limit)
