"""Who has enabled live trading, of what, under which limits, until when: the file that the guard looks for before an order leaves.

It is written by ``traider enable-live`` after a person has typed the account's name, and read by the guard again and again, so
that its end, its removal, and limits that were changed since are noticed while orders go.
"""

import hashlib
import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from traider.domain.errors import UserError
from traider.domain.guard_protocol import KeyInfo
from traider.domain.limits import RiskLimits

from .lock import Lock, holder

FILE = "live.json"
_ENABLE = "run: traider enable-live"


class LivePolicy(msgspec.Struct, frozen=True, kw_only=True):
    """The configuration's part: both switches have to be turned before anybody is asked. ``url`` is the exchange's."""

    live_trading: bool
    dry_run: bool
    url: str = ""


class Authorization(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person's yes. ``strategy`` and ``parameters`` say to what, with the version's hash; times are UTC.

    ``symbol`` is the one market, ``bars`` what the strategy's bars are: one minute's average is not one hour's. It is empty for a
    strategy that takes none.
    """

    venue: str
    account: str
    strategy: str
    strategy_sha256: str
    parameters: dict[str, bool | int | float | str]
    symbol: str
    bars: str
    limits_sha256: str
    by: str
    made_ns: int
    expires_ns: int
    evidence_dir: str = ""  # where the evidence is that was shown; empty: in the state directory


def limits_hash(limits: RiskLimits) -> str:
    """What the limits are known by; others have another one."""
    return hashlib.sha256(msgspec.json.encode(limits)).hexdigest()


def write_authorization(state_dir: Path, authorization: Authorization) -> Path:
    """Writes it for the owner's eyes only, whole or not at all."""
    path = state_dir / FILE
    partial = path.with_suffix(".new")
    fd = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(authorization), indent=2) + b"\n")
    partial.replace(path)
    return path


def read_authorization(state_dir: Path) -> Authorization | None:
    """The last one, None when there was none; ``UserError`` for a file that can't be read."""
    path = state_dir / FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=Authorization)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UserError(f"{path}: can't be read: {error.strerror}") from None
    except msgspec.DecodeError as error:
        raise UserError(f"{path}: is no authorization ({error}): delete it and {_ENABLE}") from None


def why_not_configured(policy: LivePolicy) -> str:
    """Which switch of the configuration is not turned, in one sentence; empty where both are."""
    if not policy.live_trading:
        return "live trading is off: set LIVE_TRADING_DEFAULT=true"
    return "DRY_RUN is on, so no order leaves: set DRY_RUN=false" if policy.dry_run else ""


def why_not(authorization: Authorization | None, *, key: KeyInfo, limits: RiskLimits, now_ns: int) -> str:
    """Why this is no yes to what is about to happen, in one sentence; empty where it is."""
    if authorization is None:
        return f"nobody has enabled live trading: {_ENABLE}"
    if now_ns >= authorization.expires_ns:
        ended = datetime.fromtimestamp(authorization.expires_ns // 1_000_000_000, UTC).strftime("%Y-%m-%d %H:%M UTC")
        return f"live trading was enabled until {ended}: {_ENABLE}"
    if now_ns < authorization.made_ns:
        return f"live trading was enabled at a time that is still to come: set the clock, or {_ENABLE}"
    if authorization.limits_sha256 != limits_hash(limits):
        return f"the risk limits are not those that live trading was enabled with: {_ENABLE}"
    if not key.venue:
        return "the exchange has not told yet what the key may do"
    if (authorization.venue, authorization.account) != (key.venue, key.account):
        enabled, ours = _account(authorization.venue, authorization.account), _account(key.venue, key.account)
        return f"live trading was enabled for {enabled}, and the key is of {ours}"
    return ""


def why_not_there(authorization: Authorization | None, symbol: str) -> str:
    """Why this market is not the one that was enabled; empty where it is."""
    if authorization is None or authorization.symbol == symbol:
        return ""
    return f"live trading was enabled for {authorization.symbol}, not for {symbol}: {_ENABLE}"


def why_not_this(
    authorization: Authorization, *, strategy_sha256: str, parameters: dict[str, bool | int | float | str], symbol: str, bars: str
) -> str:
    """Why this strategy, on this market and these bars, is not the one that was enabled; empty where it is."""
    if authorization.strategy_sha256 != strategy_sha256:
        return f"the strategy is not the version of {authorization.strategy} that live trading was enabled with: {_ENABLE}"
    if authorization.parameters != parameters:
        return f"the parameters are not those that live trading was enabled with: {_ENABLE}"
    if authorization.bars != bars:
        enabled = f"bars of {authorization.bars}" if authorization.bars else "no bars"
        return f"live trading was enabled with {enabled}, not with {f'bars of {bars}' if bars else 'none'}: {_ENABLE}"
    return why_not_there(authorization, symbol)


def lock_folder() -> Path:
    """Where the guards of this user on this machine see one another's accounts."""
    return Path(tempfile.gettempdir()) / f"traider-{os.getuid()}"


class AccountClaim:
    """An account on an exchange is traded by one guard on a machine: two would take each other's orders for somebody else's.

    It is held until the process ends, however it ends.
    """

    def __init__(self, folder: Path, url: str) -> None:
        self._folder = folder
        self._url = url
        self._locks: dict[str, Lock] = {}

    def why_not(self, key: KeyInfo) -> str:
        """Claims the account of this key; why it can't be had, empty where it is ours."""
        name = hashlib.sha256(f"{self._url} {key.venue} {key.account}".encode()).hexdigest()[:16]
        if name in self._locks:
            return ""
        path = self._folder / f"account-{name}.lock"
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            self._locks[name] = Lock.acquire(path, what="the account")
        except UserError:
            held = holder(path)
            return f"another guard on this machine trades {_account(key.venue, key.account)} (process {held.pid if held else 'unknown'})"
        except OSError as error:
            return f"whether another guard trades this account can't be seen: {path}: {error.strerror}"
        return ""


class WhyNotEnabled:
    """Asks the configuration, and the file when it has changed: why orders may not leave, empty where they may."""

    def __init__(self, state_dir: Path, policy: LivePolicy, locks: Path | None = None) -> None:
        self._state_dir = state_dir
        self._policy = policy
        self._claim = AccountClaim(locks or lock_folder(), policy.url)
        self._seen: tuple[int, int] | None = None
        self._read: Authorization | None = None

    def __call__(self, key: KeyInfo, limits: RiskLimits, symbol: str, now_ns: int) -> str:
        """Asked for no market (""): for any; asked for one: why not for it, where there is a yes at all."""
        why = why_not_configured(self._policy)
        if why:
            return why
        try:
            yes = self._authorization()
            if symbol:
                return why_not_there(yes, symbol)
            return why_not(yes, key=key, limits=limits, now_ns=now_ns) or self._claim.why_not(key)
        except UserError as error:
            return str(error)

    def _authorization(self) -> Authorization | None:
        try:
            stat = (self._state_dir / FILE).stat()
        except FileNotFoundError:
            self._seen = self._read = None
            return None
        if (stat.st_mtime_ns, stat.st_ino) != self._seen:
            self._read = read_authorization(self._state_dir)
            self._seen = (stat.st_mtime_ns, stat.st_ino)
        return self._read


def _account(venue: str, account: str) -> str:
    return f"{venue} account {account or '(unnamed)'}"
