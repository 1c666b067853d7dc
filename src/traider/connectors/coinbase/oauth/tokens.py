"""What a grant is worth: a token for an hour, and another one to get the next with."""

import msgspec

_SECOND_NS = 1_000_000_000


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """Neither is shown. A refresh token is good for one exchange."""

    access_token: str
    refresh_token: str
    expires_ts_ns: int
    scope: str = ""

    def __repr__(self) -> str:
        return f"Tokens(expires_ts_ns={self.expires_ts_ns}, secrets hidden)"

    def fresh_until(self, *, margin_s: float) -> int:
        """The time from which another one should be asked for."""
        return self.expires_ts_ns - int(margin_s * _SECOND_NS)
