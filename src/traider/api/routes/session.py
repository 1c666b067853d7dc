"""Login, logout, and who is logged in."""

from fastapi import APIRouter, Request, Response

from traider.api.access import Authenticated
from traider.api.deps import ApiDep
from traider.api.errors import ApiError, answers
from traider.api.schemas import LoginIn, UserOut
from traider.api.sessions import delete_cookie, set_cookie

router = APIRouter(prefix="/api/auth", tags=["session"])


@router.post("/login", responses=answers(401, 403, 422, 429, 503))
async def login(body: LoginIn, request: Request, response: Response, api: ApiDep) -> UserOut:
    """Sets the session cookie. After several wrong passwords from one address it answers 429 for a while."""
    client = request.client.host if request.client else "unknown"
    login = await api.sessions.login(body.username, body.password, client=client)
    if login is None:
        raise ApiError(401, "wrong username or password")
    session, token = login
    set_cookie(response, token, secure=request.url.scheme == "https")
    return UserOut(username=session.username, role=session.role)


@router.post("/logout", status_code=204, responses=answers(403, 503))
async def logout(request: Request, response: Response, api: ApiDep) -> None:
    """Ends the session for good: the cookie is deleted, and its token is refused from now on."""
    await api.sessions.logout(request)
    delete_cookie(response, secure=request.url.scheme == "https")


@router.get("/me", responses=answers(401))
async def me(user: Authenticated) -> UserOut:
    return UserOut(username=user.username, role=user.role)
