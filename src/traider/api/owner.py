"""The first user: the owner, an admin."""

import secrets

from traider.storage.access import AccessStore
from traider.storage.roles import Role

from .passwords import Passwords

OWNER = "owner"
_SYSTEM = "system"


async def ensure_owner(access: AccessStore, password: str | None = None, *, passwords: Passwords | None = None) -> str | None:
    """Guarantees that there is an owner; returns the password that was made up for a new one, which is told this once.

    A given ``password`` (DASHBOARD_PASSWORD) becomes the owner's; when it differs from the stored one, running sessions end.
    """
    passwords = Passwords() if passwords is None else passwords
    user = await access.user(OWNER)
    if user is None:
        chosen = secrets.token_urlsafe(12) if password is None else password
        if not await access.add_user(OWNER, await passwords.hash(chosen), Role.ADMIN):
            return None  # another process was faster, and tells its own
        await access.record(_SYSTEM, "owner_created", "password generated" if password is None else "password set by DASHBOARD_PASSWORD")
        return chosen if password is None else None
    if password is not None and not (await passwords.check(password, user.password_hash))[0]:
        await access.set_password(OWNER, await passwords.hash(password))
        await access.record(_SYSTEM, "password_changed", "owner's, by DASHBOARD_PASSWORD")
    return None
