import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from traider.domain.errors import StoreError
from traider.storage.access import AccessStore
from traider.storage.engine import writing
from traider.storage.roles import Role

NOW_NS = 1_700_000_000_000_000_000


class FixedClock:
    def __init__(self) -> None:
        self.ns = NOW_NS

    def now_ns(self) -> int:
        return self.ns


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def access(engine: AsyncEngine, clock: FixedClock) -> AccessStore:
    return AccessStore(engine, clock)


async def test_a_user_is_added_once(access: AccessStore) -> None:
    added = await asyncio.gather(*(access.add_user("owner", f"hash-{number}", Role.ADMIN) for number in range(3)))
    assert sorted(added) == [False, False, True]
    user = await access.user("owner")
    assert user is not None
    assert (user.role, user.password_hash, user.epoch) == (Role.ADMIN, f"hash-{added.index(True)}", 1)
    assert await access.user("nobody") is None


async def test_a_new_password_begins_a_new_epoch_and_a_new_hash_of_the_old_one_does_not(access: AccessStore) -> None:
    await access.add_user("owner", "first", Role.ADMIN)
    await access.replace_hash("owner", "first", "first again")
    await access.replace_hash("owner", "some other", "lost")
    user = await access.user("owner")
    assert user is not None
    assert (user.password_hash, user.epoch) == ("first again", 1)
    await access.set_password("owner", "second")
    user = await access.user("owner")
    assert user is not None
    assert (user.password_hash, user.epoch) == ("second", 2)


async def test_an_ended_session_has_no_user_and_is_forgotten_after_it_expired(access: AccessStore, clock: FixedClock) -> None:
    await access.add_user("owner", "hash", Role.ADMIN)
    now_s = NOW_NS // 1_000_000_000
    await access.end_session("one", now_s + 10)
    await access.end_session("one", now_s + 10)
    assert await access.session_user("owner", "one") is None
    assert await access.session_user("owner", "two") is not None
    clock.ns += 20_000_000_000
    await access.end_session("two", now_s + 100)
    assert await access.session_user("owner", "one") is not None
    assert await access.session_user("owner", "two") is None


async def test_the_audit_log_is_read_newest_first(access: AccessStore, clock: FixedClock) -> None:
    await access.record("owner", "login")
    clock.ns += 1
    await access.record("owner", "kill switch off", "drill is over")
    entries = await access.audit(10)
    assert [(entry.ts_ns, entry.action, entry.detail) for entry in entries] == [
        (NOW_NS + 1, "kill switch off", "drill is over"),
        (NOW_NS, "login", ""),
    ]
    assert await access.audit(1) == entries[:1]


@pytest.mark.parametrize("statement", ["UPDATE audit_log SET who = 'nobody'", "DELETE FROM audit_log"])
async def test_the_audit_log_can_only_grow(access: AccessStore, engine: AsyncEngine, statement: str) -> None:
    await access.record("owner", "login")
    with pytest.raises(StoreError, match="append-only"):
        async with writing(engine) as connection:
            await connection.execute(text(statement))
    assert len(await access.audit(10)) == 1


def test_each_role_may_do_what_the_ones_before_it_may() -> None:
    assert [[have.may(needed) for needed in Role] for have in Role] == [[True, False, False], [True, True, False], [True, True, True]]
