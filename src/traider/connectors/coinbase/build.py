"""A venue or a market feed out of the settings: which key, which addresses, our own transport or the SDK's."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import msgspec

from traider.domain.errors import SettingsError
from traider.domain.instruments import Instrument
from traider.domain.ports import Clock
from traider.runtime.settings import CoinbaseKeySettings, CoinbaseSettings

from .config import Addresses, RestTiming, SocketTiming
from .credentials import ApiKey, read_key_file
from .http_transport import HttpTransport
from .market_feed import MarketFeed
from .sdk_socket import SdkSocket
from .sdk_transport import SdkTransport
from .server_clock import ServerClock
from .session import Session
from .socket import PicowsSocket, Socket
from .tokens import Authorization, KeyAuthorization
from .transport import Transport
from .venue import CoinbaseVenue


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How the venue is reached."""

    addresses: Addresses = Addresses()
    rest_timing: RestTiming = RestTiming()
    socket_timing: SocketTiming = SocketTiming()
    official_sdk: bool = False


def options_from(settings: CoinbaseSettings) -> Options:
    """As the configuration says; both hosts of the user channel, where there are two."""
    user_urls = tuple(dict.fromkeys((settings.user_url, settings.market_url)))
    addresses = Addresses(
        rest_url=settings.rest_url,
        market_url=settings.market_url,
        user_urls=user_urls,
        ca_file="" if settings.ca_file is None else str(settings.ca_file),
    )
    return Options(addresses=addresses, official_sdk=settings.official_sdk)


def key_from_settings(settings: CoinbaseKeySettings) -> ApiKey | None:
    """The key that the configuration names, None where it names none."""
    secret = "" if settings.secret is None else settings.secret.get_secret_value()
    return key_from(name=settings.name or "", secret=secret, key_file=settings.file)


def key_from(*, name: str, secret: str, key_file: Path | None) -> ApiKey | None:
    """The key that the settings name, None where they name none; ``SettingsError`` where they name half of one."""
    if key_file is not None:
        if secret:
            raise SettingsError("COINBASE_API_SECRET and COINBASE_KEY_FILE both hold the secret: set one of them")
        return read_key_file(key_file, name=name)
    if bool(name) != bool(secret):
        missing = "COINBASE_API_SECRET" if name else "COINBASE_API_KEY"
        raise SettingsError(f"a Coinbase key has a name and a secret: set {missing} too, or COINBASE_KEY_FILE")
    return ApiKey(name, secret) if name else None


def coinbase_venue(key: ApiKey, clock: Clock, options: Options | None = None) -> CoinbaseVenue:
    """The order side for the owner of this key, ready to be started."""
    options = options or Options()
    server_clock = ServerClock(clock)
    return _venue(key, KeyAuthorization(key, server_clock), server_clock, options)


def granted_venue(authorization: Authorization, clock: Clock, options: Options | None = None) -> CoinbaseVenue:
    """The order side for a user who granted access to the account (``traider.connectors.coinbase.oauth``)."""
    options = options or Options()
    if options.official_sdk:
        raise SettingsError("USE_OFFICIAL_SDK needs a key: Coinbase's SDK can't be given granted access")
    return _venue(None, authorization, ServerClock(clock), options)


def _venue(key: ApiKey | None, authorization: Authorization, server_clock: ServerClock, options: Options) -> CoinbaseVenue:
    return CoinbaseVenue(
        transport=coinbase_transport(key, authorization, options),
        make_socket=_sockets(key, authorization, options),
        server_clock=server_clock,
        addresses=options.addresses,
        rest_timing=options.rest_timing,
        socket_timing=options.socket_timing,
    )


def coinbase_transport(key: ApiKey | None, authorization: Authorization | None, options: Options) -> Transport:
    """Ours, or the SDK's."""
    if options.official_sdk:
        return SdkTransport(options.addresses, key, timeout_s=options.rest_timing.timeout_s)
    return HttpTransport(options.addresses, authorization)


def coinbase_feed(
    instruments: Iterable[Instrument],
    options: Options | None = None,
    *,
    channels: Iterable[str] = ("level2", "market_trades"),
    aliases: Mapping[str, str] | None = None,
    depth: bool = True,
    make_feed: type[MarketFeed] = MarketFeed,
) -> tuple[MarketFeed, Session]:
    """Market data of these markets, without a key: read the feed's events while the session's ``run`` runs.

    ``make_feed`` may be ``compiled_feed.CompiledMarketFeed``, which is not imported here: it brings the compiler with it.
    """
    options = options or Options()
    feed = make_feed(instruments, channels=channels, aliases=aliases, depth=depth)
    session = Session(
        urls=(options.addresses.market_url,),
        subscriptions=feed.subscriptions(),
        handler=feed,
        make_socket=_sockets(None, None, options),
        timing=options.socket_timing,
    )
    feed.on_overflow = session.resubscribe
    return feed, session


def _sockets(key: ApiKey | None, authorization: Authorization | None, options: Options) -> Callable[[], Socket]:
    timeout_s = options.socket_timing.connect_timeout_s
    if options.official_sdk:
        return lambda: SdkSocket(key, connect_timeout_s=timeout_s)
    return lambda: PicowsSocket(authorization, connect_timeout_s=timeout_s, ca_file=options.addresses.ca_file)
