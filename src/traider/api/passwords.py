"""Passwords: hashed with argon2, off the event loop, a few at a time because each takes 64 MiB for a moment."""

import asyncio

from pwdlib import PasswordHash

_AT_ONCE = 2


class Passwords:
    """Hashes and checks passwords with today's recommended parameters."""

    def __init__(self, hasher: PasswordHash | None = None) -> None:
        self._hasher = PasswordHash.recommended() if hasher is None else hasher
        self._turn = asyncio.Semaphore(_AT_ONCE)
        self._decoy: str | None = None

    async def hash(self, password: str) -> str:
        async with self._turn:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def check(self, password: str, stored: str | None) -> tuple[bool, str | None]:
        """Whether the password is the stored one, and a new hash when the stored one should be replaced by it.

        Without a stored hash the answer is no, after the same work: how long it takes does not tell which users there are.
        """
        if stored is None:
            if self._decoy is None:
                self._decoy = await self.hash("nobody's password")
            async with self._turn:
                await asyncio.to_thread(self._hasher.verify, password, self._decoy)
            return False, None
        async with self._turn:
            return await asyncio.to_thread(self._hasher.verify_and_update, password, stored)
