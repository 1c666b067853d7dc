"""Who may do what."""

from enum import StrEnum


class Role(StrEnum):
    """Each role may do what the ones before it may."""

    VIEWER = "viewer"
    TRADER = "trader"
    ADMIN = "admin"

    @property
    def rank(self) -> int:
        return tuple(Role).index(self)

    def may(self, needed: "Role") -> bool:
        """Whether a user of this role may do what asks for ``needed``."""
        return self.rank >= needed.rank
