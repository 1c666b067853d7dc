import asyncio

import httpx
import jwt
import pytest
from fastapi import FastAPI

from tests.api.conftest import PASSWORD, ManualClock, log_in, new_client
from traider.api.deps import ApiDeps
from traider.api.owner import OWNER, ensure_owner
from traider.api.passwords import Passwords
from traider.api.sessions import ATTEMPTS_PER_ADDRESS, ATTEMPTS_PER_USER, COOKIE, LIFE_S, WINDOW_S
from traider.storage.access import AccessStore

WRONG = {"username": OWNER, "password": "a guess"}
RIGHT = {"username": OWNER, "password": PASSWORD}


async def test_login_tells_who_and_sets_a_cookie_that_scripts_and_other_sites_cannot_have(anyone: httpx.AsyncClient) -> None:
    answer = await anyone.post("/api/auth/login", json=RIGHT)
    assert answer.status_code == 200
    assert answer.json() == {"username": OWNER, "role": "admin"}
    cookie = answer.headers["set-cookie"].lower()
    assert cookie.startswith(f"{COOKIE}=")
    assert {part.strip() for part in cookie.split(";")[1:]} == {"httponly", f"max-age={LIFE_S}", "path=/", "samesite=strict"}
    me = await anyone.get("/api/auth/me")
    assert me.json() == {"username": OWNER, "role": "admin"}


async def test_over_https_the_cookie_stays_on_https(app: FastAPI) -> None:
    async with new_client(app) as client:
        answer = await client.post("https://traider.test/api/auth/login", json=RIGHT)
    assert "; secure" in answer.headers["set-cookie"].lower()


@pytest.mark.parametrize("body", [WRONG, {"username": "nobody", "password": PASSWORD}])
async def test_a_wrong_name_and_a_wrong_password_are_answered_alike(anyone: httpx.AsyncClient, body: dict[str, str]) -> None:
    answer = await anyone.post("/api/auth/login", json=body)
    assert (answer.status_code, answer.json()) == (401, {"detail": "wrong username or password"})
    assert "set-cookie" not in answer.headers


async def test_without_a_session_nothing_is_told(anyone: httpx.AsyncClient, app: FastAPI) -> None:
    protected = [
        (method.upper(), path)
        for path, operations in app.openapi()["paths"].items()
        for method in operations
        if path.startswith("/api/") and path not in ("/api/auth/login", "/api/auth/logout")
    ]
    assert len(protected) >= 10
    for method, path in protected:
        answer = await anyone.request(method, path, json={"on": True} if method == "POST" else None)
        assert (answer.status_code, answer.json()) == (401, {"detail": "log in first"}), path


async def test_too_many_wrong_passwords_have_to_wait_and_the_right_one_too(app: FastAPI, clock: ManualClock) -> None:
    async with new_client(app, "192.0.2.1") as client, new_client(app, "192.0.2.2") as elsewhere:
        for _ in range(ATTEMPTS_PER_ADDRESS):
            assert (await client.post("/api/auth/login", json=WRONG)).status_code == 401
        clock.advance(10)
        answer = await client.post("/api/auth/login", json=RIGHT)
        assert answer.status_code == 429
        assert answer.headers["retry-after"] == str(WINDOW_S - 10)
        assert answer.json() == {"detail": f"too many attempts: wait {WINDOW_S - 10} seconds"}
        await log_in(elsewhere, OWNER)
        clock.advance(WINDOW_S - 10)
        await log_in(client, OWNER)


async def test_many_guesses_at_once_are_no_way_around_the_wait(app: FastAPI) -> None:
    async with new_client(app) as client:
        answers = await asyncio.gather(*(client.post("/api/auth/login", json=WRONG) for _ in range(4 * ATTEMPTS_PER_ADDRESS)))
    assert sorted(answer.status_code for answer in answers) == [401] * ATTEMPTS_PER_ADDRESS + [429] * 3 * ATTEMPTS_PER_ADDRESS


async def test_a_network_of_addresses_counts_as_one(app: FastAPI) -> None:
    statuses = []
    for number in range(ATTEMPTS_PER_ADDRESS + 1):
        async with new_client(app, f"2001:db8:1:2::{number:x}") as client:
            statuses.append((await client.post("/api/auth/login", json=WRONG)).status_code)
    assert statuses == [401] * ATTEMPTS_PER_ADDRESS + [429]


async def test_many_addresses_against_one_user_have_to_wait(app: FastAPI) -> None:
    for number in range(ATTEMPTS_PER_USER):
        async with new_client(app, f"198.51.100.{number}") as client:
            assert (await client.post("/api/auth/login", json=WRONG)).status_code == 401
    async with new_client(app, "203.0.113.1") as client:
        assert (await client.post("/api/auth/login", json=RIGHT)).status_code == 429
        await log_in(client, "trader")


async def test_right_passwords_are_never_too_many(app: FastAPI) -> None:
    async with new_client(app) as client:
        for _ in range(3 * ATTEMPTS_PER_ADDRESS):
            await log_in(client, OWNER)


async def test_after_logout_the_cookie_is_gone_and_its_token_refused(owner: httpx.AsyncClient, anyone: httpx.AsyncClient) -> None:
    stolen = owner.cookies[COOKIE]
    answer = await owner.post("/api/auth/logout")
    assert answer.status_code == 204
    assert COOKIE not in owner.cookies
    anyone.cookies.set(COOKIE, stolen)
    assert (await anyone.get("/api/auth/me")).status_code == 401


async def test_logout_without_a_session_is_no_error(anyone: httpx.AsyncClient) -> None:
    assert (await anyone.post("/api/auth/logout")).status_code == 204


async def test_a_session_ends_by_itself(owner: httpx.AsyncClient, clock: ManualClock) -> None:
    clock.advance(LIFE_S - 1)
    assert (await owner.get("/api/auth/me")).status_code == 200
    clock.advance(1)
    assert (await owner.get("/api/auth/me")).status_code == 401


async def test_a_new_password_ends_the_sessions_of_the_old_one(owner: httpx.AsyncClient, access: AccessStore, passwords: Passwords) -> None:
    await access.set_password(OWNER, await passwords.hash("another horse"))
    assert (await owner.get("/api/auth/me")).status_code == 401
    assert (await owner.post("/api/auth/login", json=RIGHT)).status_code == 401
    await log_in(owner, OWNER, "another horse")


async def test_a_token_that_was_not_signed_by_us_is_refused(owner: httpx.AsyncClient, deps: ApiDeps) -> None:
    token = owner.cookies[COOKIE]
    claims = jwt.decode(token, deps.secret, algorithms=["HS256"], options={"verify_exp": False, "verify_iat": False})
    other_key = jwt.encode(claims, b"another secret of thirty-two bytes", algorithm="HS256")
    no_key = jwt.encode(claims, "", algorithm="none")
    fewer_claims = jwt.encode({"sub": OWNER}, deps.secret, algorithm="HS256")
    for forged in (other_key, no_key, fewer_claims, token[:-2], "", "no token at all"):
        owner.cookies.clear()
        owner.cookies.set(COOKIE, forged)
        assert (await owner.get("/api/auth/me")).status_code == 401, forged


@pytest.mark.parametrize("body", [{}, {"username": "", "password": ""}, {"username": OWNER}, {**RIGHT, "role": "admin"}, [1], "text"])
async def test_a_login_that_is_none_is_told_in_one_sentence(anyone: httpx.AsyncClient, body: object) -> None:
    answer = await anyone.post("/api/auth/login", json=body)
    assert answer.status_code == 422
    assert isinstance(answer.json()["detail"], str)


async def test_logins_and_failed_logins_are_in_the_audit_log(owner: httpx.AsyncClient, app: FastAPI) -> None:
    async with new_client(app, "192.0.2.7") as client:
        await client.post("/api/auth/login", json=WRONG)
    await owner.post("/api/auth/logout")
    await log_in(owner, OWNER)
    rows = (await owner.get("/api/audit")).json()
    told = [(row["who"], row["action"], row["detail"]) for row in rows]
    assert told == [
        (OWNER, "login", "from 127.0.0.1"),
        (OWNER, "logout", ""),
        (OWNER, "login_failed", "from 192.0.2.7"),
        (OWNER, "login", "from 127.0.0.1"),
        ("system", "owner_created", "password set by DASHBOARD_PASSWORD"),
    ]
    assert len((await owner.get("/api/audit", params={"limit": 2})).json()) == 2


async def test_the_first_owner_gets_a_password_that_is_told_once(access: AccessStore, passwords: Passwords, app: FastAPI) -> None:
    # The fixture has made an owner: a given password changes his, none leaves it.
    assert await ensure_owner(access, None, passwords=passwords) is None
    assert await ensure_owner(access, "another horse", passwords=passwords) is None
    async with new_client(app) as client:
        await log_in(client, OWNER, "another horse")
        assert await ensure_owner(access, "another horse", passwords=passwords) is None
        assert (await client.get("/api/auth/me")).status_code == 200
