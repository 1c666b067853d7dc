"""Makes the app: the routes, what they work with, the pump that follows the bus, and the dashboard's files."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.routing import APIRoute
from starlette.routing import Mount, Route
from structlog import get_logger

from traider import __version__

from . import errors
from .deps import Api, ApiDeps
from .kill_switch import KillSwitch
from .live import LiveView
from .middleware import CSRF_HEADER, Gate
from .order_book import OrderBook
from .passwords import Passwords
from .pump import Pump
from .reads import Reads
from .routes import audit, market, orders, portfolio, risk, session, stream, system
from .sessions import Sessions
from .sse import Hub, frame
from .static import Dashboard, is_built, not_built
from .views import portfolio_out, risk_out

log = get_logger("traider.api")

_NOUNS = (session, system, portfolio, orders, risk, audit, market, stream)

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def create_app(deps: ApiDeps) -> FastAPI:
    """The whole app. It follows the bus while its lifespan lasts."""
    api = _assemble(deps)
    app = bare_app(_lifespan(api))
    app.state.api = api
    static_dir = deps.static_dir
    app.router.routes.append(Mount("/", Dashboard(static_dir)) if is_built(static_dir) else Route("/{path:path}", not_built))
    app.add_middleware(Gate)
    if deps.settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(deps.settings.cors_origins),
            allow_credentials=True,
            allow_methods=["GET", "POST"],
            allow_headers=["Content-Type", CSRF_HEADER],
        )
    return app


def bare_app(lifespan: Lifespan | None = None) -> FastAPI:
    """The routes and their description, without what they work with."""
    app = FastAPI(
        title="traider",
        version=__version__,
        description="The trading platform's HTTP API; docs/api.md explains it.",
        lifespan=lifespan,
        # The interactive pages load their scripts from elsewhere, which an offline platform and our content policy do not allow.
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=_operation_id,
    )
    for noun in _NOUNS:
        app.include_router(noun.router)
    errors.install(app)
    describe = app.openapi
    app.openapi = lambda: _mended(describe())  # type: ignore[method-assign]  # FastAPI's own way to change the description
    return app


def _operation_id(route: APIRoute) -> str:
    return route.name


def _mended(document: dict[str, Any]) -> dict[str, Any]:
    """The description, with what FastAPI can't say of a stream: its events are objects, and its errors are JSON."""
    responses = document["paths"]["/api/streams/sse"]["get"]["responses"]
    responses["200"]["content"]["text/event-stream"]["schema"].pop("type", None)
    for status, response in responses.items():
        if status != "200" and "text/event-stream" in response["content"]:
            response["content"] = {"application/json": response["content"]["text/event-stream"]}
    return document


def _assemble(deps: ApiDeps) -> Api:
    live = LiveView(guard=deps.guard, clock=deps.clock, session=deps.session, market_stale_after_s=deps.settings.market_stale_after_s)
    book = OrderBook(deps.repository)
    sessions = Sessions(access=deps.access, secret=deps.secret, clock=deps.clock, passwords=deps.passwords or Passwords())
    hub = Hub(sessions=sessions, greeting=lambda: _greeting(live), heartbeat_s=deps.heartbeat_s)
    return Api(
        deps=deps,
        live=live,
        hub=hub,
        reads=Reads(live=live, book=book, repository=deps.repository, access=deps.access),
        sessions=sessions,
        kill_switch=KillSwitch(guard=deps.guard, access=deps.access, live=live),
        pump=Pump(bus=deps.bus, live=live, orders=book, hub=hub),
    )


def _greeting(live: LiveView) -> Iterator[bytes]:
    yield frame("system", live.system())
    if live.account is not None:
        yield frame("account", portfolio_out(live.account))
    if live.risk is not None:
        yield frame("risk", risk_out(live.risk))
    for market_now in live.markets():
        yield frame("market", market_now)


def _lifespan(api: Api) -> Lifespan:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        pumping = asyncio.create_task(api.pump.run(), name="api: pump")
        pumping.add_done_callback(_tell_when_broken)
        try:
            yield
        finally:
            api.hub.close()
            pumping.cancel()
            await asyncio.wait([pumping])

    return lifespan


def _tell_when_broken(pumping: asyncio.Task[None]) -> None:
    if not pumping.cancelled() and (error := pumping.exception()) is not None:
        log.critical("the live view has stopped", exc_info=error)
