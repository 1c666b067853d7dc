import asyncio
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from tests.api.conftest import ManualClock, MemoryGuard
from tests.api.test_stream import streaming
from traider.api.app import create_app
from traider.api.deps import ApiDeps
from traider.api.launch import launch
from traider.api.live import SessionInfo
from traider.api.server import ApiServer
from traider.bus.memory import MemoryBus
from traider.domain.errors import TraiderError, UserError
from traider.runtime.settings import ApiSettings, load_settings


@pytest.mark.parametrize("how", ["stop", "cancel"])
async def test_a_server_that_stops_ends_its_streams(deps: ApiDeps, how: str) -> None:
    app = create_app(deps)
    server = ApiServer(app, deps.settings)
    serving = asyncio.create_task(server.serve())
    async with streaming(f"http://127.0.0.1:{server.port}") as (reader, _):
        await reader.next_of("system")
        server.stop() if how == "stop" else serving.cancel()
        await reader.to_the_end()
    async with asyncio.timeout(10):
        await asyncio.wait([serving])
    assert serving.cancelled() is (how == "cancel")
    assert not app.state.api.pump.running


async def test_a_port_in_use_is_told_before_anything_starts(deps: ApiDeps) -> None:
    app = create_app(deps)
    first = ApiServer(app, deps.settings)
    with pytest.raises(UserError, match=rf"port {first.port} can't be served on .*set API_PORT to a free port"):
        ApiServer(app, ApiSettings(port=first.port))
    with pytest.raises(UserError, match=r"API_HOST: no\.such\.host\.invalid"):
        ApiServer(app, ApiSettings(host="no.such.host.invalid", port=0))
    first.close()
    ApiServer(app, ApiSettings(port=first.port)).close()


async def test_an_app_that_does_not_start_is_an_error() -> None:
    class Lifespan:
        def __init__(self, _app: FastAPI) -> None:
            pass

        async def __aenter__(self) -> None:
            raise ValueError("no")

        async def __aexit__(self, *_: object) -> None:
            pass

    server = ApiServer(FastAPI(lifespan=Lifespan), ApiSettings(port=0))
    with pytest.raises(TraiderError, match="did not start"):
        await server.serve()
    server.close()


async def test_everything_is_put_together_from_the_settings(tmp_path: Path, guard: MemoryGuard, bus: MemoryBus, clock: ManualClock) -> None:
    settings = load_settings({"TRAIDER_STATE_DIR": str(tmp_path / "state"), "API_PORT": "0", "METRICS_PORT": "0"})
    session = SessionInfo(version="1", strategy="none", params={}, symbol="BTC-USD", source="none", started_ts_ns=clock.now_ns())
    async with launch(settings, guard=guard, bus=bus, clock=clock, session=session) as launched:
        assert launched.new_password is not None
        serving = asyncio.create_task(launched.server.serve())
        url = f"http://127.0.0.1:{launched.server.port}"
        async with httpx.AsyncClient(base_url=url, headers={"X-Requested-With": "traider"}) as client:
            answer = await client.post("/api/auth/login", json={"username": "owner", "password": launched.new_password})
            assert answer.status_code == 200
            assert (await client.get("/api/system")).json()["version"] == "1"
            launched.server.stop()
            await serving
            cookies = client.cookies
    assert (tmp_path / "state" / "api.secret").stat().st_mode & 0o777 == 0o600
    # The second start has the same owner and the same secret: the session goes on.
    async with launch(settings, guard=guard, bus=bus, clock=clock, session=session) as launched:
        assert launched.new_password is None
        serving = asyncio.create_task(launched.server.serve())
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{launched.server.port}", cookies=cookies) as client:
            assert (await client.get("/api/auth/me")).status_code == 200
        serving.cancel()
        await asyncio.wait([serving])
