import asyncio

from sqlalchemy.ext.asyncio import AsyncEngine

from tests.api.conftest import ManualClock
from traider.api.owner import OWNER, ensure_owner
from traider.api.passwords import Passwords
from traider.storage.access import AccessStore
from traider.storage.roles import Role


async def test_a_new_owner_has_a_password_that_was_made_up(engine: AsyncEngine, clock: ManualClock, passwords: Passwords) -> None:
    access = AccessStore(engine, clock)
    password = await ensure_owner(access, passwords=passwords)
    assert password is not None
    assert len(password) >= 16
    owner = await access.user(OWNER)
    assert owner is not None
    assert owner.role is Role.ADMIN
    assert password not in owner.password_hash
    assert (await passwords.check(password, owner.password_hash))[0]
    assert await ensure_owner(access, passwords=passwords) is None


async def test_of_two_that_start_at_once_one_tells_the_password(engine: AsyncEngine, clock: ManualClock, passwords: Passwords) -> None:
    access = AccessStore(engine, clock)
    told = [password for password in await asyncio.gather(*(ensure_owner(access, passwords=passwords) for _ in range(3))) if password]
    owner = await access.user(OWNER)
    assert owner is not None
    assert len(told) == 1
    assert (await passwords.check(told[0], owner.password_hash))[0]


async def test_hashing_is_argon2_by_default_and_an_old_hash_is_replaced(passwords: Passwords) -> None:
    weak = await passwords.hash("secret")
    right, new = await Passwords().check("secret", weak)
    assert right
    assert new is not None
    assert new.startswith("$argon2id$")
    assert await Passwords().check("secret", new) == (True, None)
    assert await Passwords().check("guess", new) == (False, None)
