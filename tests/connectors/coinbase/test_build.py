"""From the settings to a client; the SDK where it is asked for; and certificates that are really looked at."""

import asyncio
import datetime
import importlib
import ipaddress
import ssl
from pathlib import Path

import msgspec
import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.connectors.coinbase.fake_rest import FakeRest
from tests.connectors.coinbase.fake_socket import FakeSocket
from tests.connectors.coinbase.keys import EC_NAME, ED_NAME, ec_key, ed_key, key_file
from tests.connectors.coinbase.running import REST_TIMING, SOCKET_TIMING, Exchange
from traider.connectors.coinbase import Addresses, ApiKey, Options, coinbase_venue, key_from_settings, options_from
from traider.connectors.coinbase.build import coinbase_transport
from traider.connectors.coinbase.http_transport import tls_context
from traider.connectors.coinbase.transport import Call, NotSentError
from traider.domain.errors import UserError
from traider.domain.venue import StreamChange, StreamState, VenueUnavailableError
from traider.runtime.clock import SystemClock
from traider.runtime.settings import load_settings


def test_the_defaults_are_coinbases_own_hosts_and_no_key() -> None:
    settings = load_settings({})
    assert options_from(settings.coinbase) == Options()
    assert key_from_settings(settings.coinbase_key) is None


def test_settings_become_options_and_a_key(tmp_path: Path) -> None:
    _, secret = ec_key()
    settings = load_settings(
        {
            "USE_OFFICIAL_SDK": "true",
            "COINBASE_REST_URL": "http://127.0.0.1:9000",
            "COINBASE_WS_URL": "ws://127.0.0.1:9000",
            "COINBASE_WS_USER_URL": "ws://127.0.0.1:9000",
            "COINBASE_CA_FILE": "/etc/ca.pem",
            "COINBASE_API_KEY": EC_NAME,
            "COINBASE_API_SECRET": secret.replace("\n", "\\n"),
        }
    )
    options = options_from(settings.coinbase)
    assert options.official_sdk
    addresses = options.addresses
    assert (addresses.rest_host, addresses.market_url) == ("127.0.0.1:9000", "ws://127.0.0.1:9000")
    assert addresses.user_urls == ("ws://127.0.0.1:9000",), "one host is not tried twice in a row"
    assert addresses.ca_file == "/etc/ca.pem"
    key = key_from_settings(settings.coinbase_key)
    assert key is not None
    assert (key.name, key.algorithm) == (EC_NAME, "ES256")
    path = key_file(tmp_path, {"id": ED_NAME, "privateKey": ed_key()[1]})
    key = key_from_settings(load_settings({"COINBASE_KEY_FILE": str(path)}).coinbase_key)
    assert key is not None
    assert (key.name, key.algorithm) == (ED_NAME, "EdDSA")


def test_a_missing_sdk_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    options = Options(official_sdk=True)
    with pytest.raises(UserError, match=r"pip install 'traider\[sdk\]'"):
        coinbase_venue(ApiKey(ED_NAME, ed_key()[1]), SystemClock(), options)


async def test_without_a_key_nothing_private_is_sent() -> None:
    for official_sdk in (False, True):
        transport = coinbase_transport(None, None, Options(official_sdk=official_sdk))
        await transport.start()
        with pytest.raises(NotSentError, match="needs a Coinbase key"):
            await transport.send(Call(method="GET", path="/api/v3/brokerage/accounts"), timeout_s=1.0)
        await transport.stop()


def certified(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A server's context for 127.0.0.1, and the file of the authority that stands behind it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a test's authority")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    ca_file, server_file = folder / "ca.pem", folder / "server.pem"
    ca_file.write_bytes(certificate.public_bytes(Encoding.PEM))
    server_file.write_bytes(certificate.public_bytes(Encoding.PEM) + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server_file)
    return context, ca_file


@pytest.mark.filterwarnings(r"ignore:ssl\.:DeprecationWarning")  # the SDK makes its context in an old way
@pytest.mark.parametrize("official_sdk", [False, True], ids=["raw", "sdk"])
async def test_certificates_are_looked_at(tmp_path: Path, official_sdk: bool) -> None:
    private, secret = ed_key()
    exchange = Exchange(FakeRest({ED_NAME: private.public_key()}), FakeSocket())
    context, ca_file = certified(tmp_path)
    runners = [web.AppRunner(app, shutdown_timeout=0.2) for app in (exchange.rest.app(), exchange.socket.app())]
    for runner in runners:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    rest_port, socket_port = (runner.addresses[0][1] for runner in runners)
    addresses = Addresses(rest_url=f"https://127.0.0.1:{rest_port}", user_urls=(f"wss://127.0.0.1:{socket_port}",), ca_file=str(ca_file))
    options = Options(addresses=addresses, rest_timing=REST_TIMING, socket_timing=SOCKET_TIMING, official_sdk=official_sdk)
    venue = coinbase_venue(ApiKey(ED_NAME, secret), SystemClock(), options)
    await venue.start()
    async with asyncio.timeout(10):
        assert await anext(venue.events()) == StreamChange(state=StreamState.LIVE)
    await venue.stop()
    distrusting = msgspec.structs.replace(options, addresses=msgspec.structs.replace(addresses, ca_file=""))
    with pytest.raises(VenueUnavailableError):
        await coinbase_venue(ApiKey(ED_NAME, secret), SystemClock(), distrusting).start()
    for runner in runners:
        await runner.cleanup()


def test_authorities_that_can_not_be_read_are_told(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("")
    for path in (empty, tmp_path / "none.pem"):
        with pytest.raises(VenueUnavailableError, match="can't be read"):
            tls_context(str(path))
