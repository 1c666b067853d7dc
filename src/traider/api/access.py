"""What a route asks for to be let in: any user, a trader, or an admin."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request

from traider.storage.roles import Role

from .deps import ApiDep
from .errors import ApiError
from .sessions import Session


def _at_least(role: Role) -> Callable[[Request, ApiDep], Awaitable[Session]]:
    async def check(request: Request, api: ApiDep) -> Session:
        session = await api.sessions.of(request)
        if session is None:
            raise ApiError(401, "log in first")
        if not session.role.may(role):
            raise ApiError(403, f"this needs the role {role}; you are {session.role}")
        return session

    return check


Authenticated = Annotated[Session, Depends(_at_least(Role.VIEWER))]
Trader = Annotated[Session, Depends(_at_least(Role.TRADER))]
Admin = Annotated[Session, Depends(_at_least(Role.ADMIN))]
