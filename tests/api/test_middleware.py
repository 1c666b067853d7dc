import re
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from tests.api.conftest import PASSWORD, log_in
from traider.api.middleware import MAX_BODY_BYTES

LOGIN = {"username": "owner", "password": PASSWORD}


@pytest.mark.parametrize("path", ["/api/auth/login", "/api/auth/logout", "/api/risk/kill-switch", "/api/nothing", "/"])
@pytest.mark.parametrize("value", [None, "", "XMLHttpRequest"])
async def test_a_change_needs_the_header_that_other_sites_cannot_send(owner: httpx.AsyncClient, path: str, value: str | None) -> None:
    del owner.headers["X-Requested-With"]
    answer = await owner.post(path, json={"on": True}, headers={} if value is None else {"X-Requested-With": value})
    assert (answer.status_code, answer.json()) == (403, {"detail": "send the header X-Requested-With: traider"})


async def test_reading_needs_no_header(owner: httpx.AsyncClient) -> None:
    del owner.headers["X-Requested-With"]
    assert (await owner.get("/api/orders")).status_code == 200


async def test_every_answer_carries_the_headers_that_protect_it(anyone: httpx.AsyncClient) -> None:
    for path, status in (("/healthz", 200), ("/api/orders", 401), ("/api/nothing", 404), ("/", 503)):
        answer = await anyone.get(path)
        assert answer.status_code == status
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        policy = answer.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "script-src 'self';" in f"{policy};"
        assert answer.headers["cache-control"] == "no-store"


async def test_a_request_has_a_trace_id_and_keeps_one_of_ours(anyone: httpx.AsyncClient) -> None:
    made = (await anyone.get("/healthz")).headers["x-trace-id"]
    assert re.fullmatch(r"[0-9a-f]{32}", made)
    given = "0123456789abcdef" * 2
    assert (await anyone.get("/healthz", headers={"X-Trace-Id": given})).headers["x-trace-id"] == given
    assert (await anyone.get("/healthz", headers={"X-Trace-Id": "log me\\n"})).headers["x-trace-id"] != "log me\\n"


async def test_a_body_that_is_too_long_is_refused(anyone: httpx.AsyncClient) -> None:
    answer = await anyone.post("/api/auth/login", content=b"x" * (MAX_BODY_BYTES + 1))
    assert (answer.status_code, answer.json()) == (413, {"detail": f"a request has at most {MAX_BODY_BYTES} bytes"})
    answer = await anyone.post("/api/auth/login", content=b"{}", headers={"Content-Length": "-1"})
    assert answer.status_code == 413


async def test_a_body_of_unknown_length_is_not_read_to_its_end(anyone: httpx.AsyncClient) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(1000):
            sent += 4096
            yield b" " * 4096

    answer = await anyone.post("/api/auth/login", content=endless())
    assert answer.status_code == 400
    assert sent <= MAX_BODY_BYTES + 2 * 4096


async def test_a_page_of_an_allowed_origin_may_call_with_its_cookie(anyone: httpx.AsyncClient) -> None:
    allowed = {"Origin": "http://localhost:3000"}
    preflight = {**allowed, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-requested-with"}
    answer = await anyone.options("/api/risk/kill-switch", headers=preflight)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "http://localhost:3000"
    assert answer.headers["access-control-allow-credentials"] == "true"
    answer = await anyone.get("/api/orders", headers=allowed)
    assert answer.headers["access-control-allow-origin"] == "http://localhost:3000"


async def test_a_page_of_another_origin_may_not(anyone: httpx.AsyncClient) -> None:
    other = {"Origin": "http://evil.test"}
    preflight = {**other, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-requested-with"}
    assert (await anyone.options("/api/risk/kill-switch", headers=preflight)).status_code == 400
    assert "access-control-allow-origin" not in (await anyone.get("/api/orders", headers=other)).headers


async def test_a_mistake_of_ours_is_told_without_its_details(app: FastAPI) -> None:
    async def fail(limit: int) -> None:
        raise ZeroDivisionError("secret detail")

    app.state.api.reads.fills = fail
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://traider.test", headers={"X-Requested-With": "traider"}) as client:
        await log_in(client, "viewer")
        answer = await client.get("/api/fills")
    assert (answer.status_code, answer.json()) == (500, {"detail": "internal error: the log says more"})
