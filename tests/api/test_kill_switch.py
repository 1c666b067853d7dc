import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.api.conftest import MemoryGuard
from traider.storage.access import AccessStore
from traider.storage.engine import writing

PATH = "/api/risk/kill-switch"


async def rows(access: AccessStore) -> list[tuple[str, str, str]]:
    """What the audit log says of the kill switch, oldest first."""
    return [(row.who, row.action, row.detail) for row in reversed(await access.audit(100)) if row.action.startswith("kill_switch")]


async def test_a_trader_stops_trading_at_once(trader: httpx.AsyncClient, guard: MemoryGuard, access: AccessStore) -> None:
    answer = await trader.post(PATH, json={"on": True})
    assert answer.status_code == 200
    assert (answer.json()["kill_switch"], answer.json()["kill_by"], answer.json()["kill_reason"]) == (True, "trader", "by hand")
    assert guard.risk.kill_switch
    assert await rows(access) == [("trader", "kill_switch_on", "by hand")]
    assert (await trader.get("/api/risk")).json()["kill_switch"] is True


async def test_an_admin_resumes_with_a_reason(owner: httpx.AsyncClient, guard: MemoryGuard, access: AccessStore) -> None:
    await owner.post(PATH, json={"on": True, "reason": "drill"})
    answer = await owner.post(PATH, json={"on": False, "reason": " the drill is over "})
    assert answer.status_code == 200
    assert answer.json()["kill_switch"] is False
    assert not guard.risk.kill_switch
    assert await rows(access) == [("owner", "kill_switch_on", "drill"), ("owner", "kill_switch_off", "the drill is over")]


@pytest.mark.parametrize("reason", ["", "   "])
async def test_nobody_resumes_without_a_reason(owner: httpx.AsyncClient, guard: MemoryGuard, access: AccessStore, reason: str) -> None:
    await owner.post(PATH, json={"on": True})
    answer = await owner.post(PATH, json={"on": False, "reason": reason})
    assert (answer.status_code, answer.json()) == (422, {"detail": "reason: switching it off needs a reason"})
    assert guard.risk.kill_switch
    assert len(await rows(access)) == 1


async def test_a_trader_does_not_resume(trader: httpx.AsyncClient, guard: MemoryGuard, access: AccessStore) -> None:
    await trader.post(PATH, json={"on": True})
    answer = await trader.post(PATH, json={"on": False, "reason": "I want to"})
    assert (answer.status_code, answer.json()) == (403, {"detail": "switching it off needs the role admin; you are trader"})
    assert guard.risk.kill_switch
    assert len(await rows(access)) == 1


@pytest.mark.parametrize("on", [True, False])
async def test_a_viewer_turns_nothing(viewer: httpx.AsyncClient, guard: MemoryGuard, access: AccessStore, on: bool) -> None:
    answer = await viewer.post(PATH, json={"on": on, "reason": "why not"})
    assert (answer.status_code, answer.json()) == (403, {"detail": "this needs the role trader; you are viewer"})
    assert not guard.risk.kill_switch
    assert await rows(access) == []


async def test_a_guard_that_is_away_is_told_and_written_down(owner: httpx.AsyncClient, guard: MemoryGuard, access: AccessStore) -> None:
    guard.connected = False
    for on in (True, False):
        answer = await owner.post(PATH, json={"on": on, "reason": "drill"})
        assert (answer.status_code, answer.json()) == (503, {"detail": "the guard is not connected"})
    assert await rows(access) == [
        ("owner", "kill_switch_on_failed", "drill: the guard is not connected"),
        ("owner", "kill_switch_off", "drill"),
        ("owner", "kill_switch_off_failed", "drill: the guard is not connected"),
    ]


async def test_without_an_audit_log_trading_stops_but_does_not_resume(
    owner: httpx.AsyncClient, guard: MemoryGuard, engine: AsyncEngine
) -> None:
    async with writing(engine) as connection:
        await connection.execute(text("DROP TABLE audit_log"))
    assert (await owner.post(PATH, json={"on": True})).status_code == 200
    assert guard.risk.kill_switch
    assert (await owner.post(PATH, json={"on": False, "reason": "drill"})).status_code == 503
    assert guard.risk.kill_switch


@pytest.mark.parametrize("body", [{}, {"on": "perhaps"}, {"on": True, "reason": "x" * 501}, {"on": True, "extra": 1}])
async def test_a_request_that_is_none_turns_nothing(owner: httpx.AsyncClient, guard: MemoryGuard, body: dict[str, object]) -> None:
    assert (await owner.post(PATH, json=body)).status_code == 422
    assert not guard.risk.kill_switch


async def test_the_audit_log_is_for_admins(trader: httpx.AsyncClient, viewer: httpx.AsyncClient) -> None:
    for client in (trader, viewer):
        assert (await client.get("/api/audit")).status_code == 403
