"""Keys in every form in which Coinbase issues them, and tokens that a JWT library believes."""

import base64
import logging
import pickle
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from tests.connectors.coinbase.keys import EC_NAME, ED_NAME, ec_key, ed_key, key_file
from traider.connectors.coinbase.build import key_from
from traider.connectors.coinbase.credentials import ApiKey, read_key_file
from traider.connectors.coinbase.server_clock import ServerClock
from traider.connectors.coinbase.tokens import BACKDATED_S, LIFETIME_S, KeyAuthorization, make_token
from traider.domain.errors import SettingsError, UserError

NOW_S = 1_900_000_000


class Fixed:
    def __init__(self, now_ns: int) -> None:
        self.ns = now_ns

    def now_ns(self) -> int:
        return self.ns


def public_of(key: ApiKey) -> bytes:
    return key.private_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def test_an_ecdsa_key_is_read_in_each_form() -> None:
    private, sec1 = ec_key()
    pkcs8 = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    keys = [ApiKey(EC_NAME, text) for text in (sec1, pkcs8, sec1.replace("\n", "\\n"), f"\n  {sec1}  \n")]
    assert {public_of(key) for key in keys} == {private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)}
    assert {key.algorithm for key in keys} == {"ES256"}


def test_an_ed25519_key_is_read_in_each_form() -> None:
    private, both_halves = ed_key()
    seed = base64.b64encode(private.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())).decode()
    pkcs8 = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    keys = [ApiKey(ED_NAME, text) for text in (both_halves, seed, pkcs8, f" {both_halves[:30]}\n{both_halves[30:]} ")]
    assert len({public_of(key) for key in keys}) == 1
    assert {key.algorithm for key in keys} == {"EdDSA"}


@pytest.mark.parametrize("field", ["name", "id"])
def test_a_key_file_names_the_key_by_either_field(tmp_path: Path, field: str) -> None:
    private, secret = ec_key()
    key = read_key_file(key_file(tmp_path, {field: EC_NAME, "privateKey": secret, "nickname": "ours"}))
    assert key.name == EC_NAME
    assert public_of(key) == private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def test_a_pem_file_has_its_name_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_text(ec_key()[1], encoding="utf-8")
    assert key_from(name=EC_NAME, secret="", key_file=path) is not None
    with pytest.raises(UserError, match="COINBASE_API_KEY"):
        read_key_file(path)


def test_half_a_key_is_told() -> None:
    assert key_from(name="", secret="", key_file=None) is None
    with pytest.raises(SettingsError, match="set COINBASE_API_SECRET too"):
        key_from(name=EC_NAME, secret="", key_file=None)
    with pytest.raises(SettingsError, match="set COINBASE_API_KEY too"):
        key_from(name="", secret="x", key_file=None)
    with pytest.raises(SettingsError, match="set one of them"):
        key_from(name="", secret="x", key_file=Path("key.json"))


def wrong_curve() -> str:
    key = ec.generate_private_key(ec.SECP384R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "not base64 at all!",
        base64.b64encode(b"s" * 31).decode(),
        base64.b64encode(b"s" * 64).decode(),
        "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIGZtc2VjcmV0\n-----END EC PRIVATE KEY-----\n",
        wrong_curve(),
    ],
)
def test_what_is_no_key_is_told_without_repeating_it(secret: str) -> None:
    with pytest.raises(UserError) as caught:
        ApiKey(EC_NAME, secret)
    assert "\n" not in str(caught.value)
    assert not secret or secret[:20] not in str(caught.value)


def test_a_broken_key_file_is_told_without_repeating_it(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="privateKey") as caught:
        read_key_file(key_file(tmp_path, {"name": EC_NAME, "private_key": "hush-hush"}))
    assert "hush" not in str(caught.value)
    with pytest.raises(UserError, match="can't be read"):
        read_key_file(tmp_path / "none.json")


@pytest.mark.parametrize("make", [ec_key, ed_key])
def test_a_key_is_shown_nowhere(make: object, caplog: pytest.LogCaptureFixture) -> None:
    _, secret = ec_key() if make is ec_key else ed_key()
    key = ApiKey(EC_NAME, secret)
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("test").debug("key %s %r", key, [key, {"key": key}])
    inner = secret.strip().splitlines()[1] if "BEGIN" in secret else secret
    assert EC_NAME in caplog.text
    assert inner[:16] not in caplog.text
    with pytest.raises(TypeError, match="not written anywhere"):
        pickle.dumps(key)


@pytest.mark.parametrize(("name", "make", "algorithm"), [(EC_NAME, ec_key, "ES256"), (ED_NAME, ed_key, "EdDSA")])
def test_a_token_holds_and_names_its_request(name: str, make: object, algorithm: str) -> None:
    private, secret = ec_key() if make is ec_key else ed_key()
    token = make_token(ApiKey(name, secret), now_s=NOW_S, uri="GET api.coinbase.com/api/v3/brokerage/accounts")
    header = jwt.get_unverified_header(token)
    assert (header["alg"], header["typ"], header["kid"], len(header["nonce"])) == (algorithm, "JWT", name, 64)
    claims = jwt.decode(token, private.public_key(), algorithms=[algorithm], options={"verify_exp": False, "verify_nbf": False})
    not_before = NOW_S - BACKDATED_S
    assert claims == {
        "sub": name,
        "iss": "cdp",
        "nbf": not_before,
        "exp": not_before + LIFETIME_S,
        "uri": "GET api.coinbase.com/api/v3/brokerage/accounts",
    }


def test_a_token_of_another_key_does_not_hold() -> None:
    _, secret = ec_key()
    other, _ = ec_key()
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(make_token(ApiKey(EC_NAME, secret), now_s=NOW_S), other.public_key(), algorithms=["ES256"])


async def test_a_subscription_has_a_token_of_its_own_without_an_address() -> None:
    private, secret = ed_key()
    clock = Fixed(NOW_S * 10**9)
    authorization = KeyAuthorization(ApiKey(ED_NAME, secret), clock)
    first = await authorization.for_subscription()
    clock.ns += 130 * 10**9
    second = await authorization.for_subscription()
    claims = [
        jwt.decode(token, private.public_key(), algorithms=["EdDSA"], options={"verify_exp": False, "verify_nbf": False})
        for token in (first, second)
    ]
    assert "uri" not in claims[0]
    assert claims[1]["nbf"] - claims[0]["nbf"] == 130, "a renewed subscription has a renewed token"


def test_an_answer_that_was_long_under_way_moves_no_clock_that_it_does_not_contradict() -> None:
    second_ns = 10**9
    server = ServerClock(Fixed(0), Fixed(20 * second_ns).now_ns)
    server.learn(sent_ns=0, server_ns=100 * second_ns, received_ns=second_ns // 10)
    known_ns = server.now_ns()
    server.learn(sent_ns=10 * second_ns, server_ns=119 * second_ns, received_ns=20 * second_ns)  # held up for 9 s on its way there
    assert server.now_ns() == known_ns, "taken for the middle it would be 4 s ahead of the venue's"
    server.learn(sent_ns=10 * second_ns, server_ns=130 * second_ns, received_ns=20 * second_ns)
    assert server.now_ns() == 135 * second_ns, "what contradicts is believed"
    server.learn(sent_ns=20 * second_ns, server_ns=131 * second_ns, received_ns=20 * second_ns)
    assert (server.now_ns(), server.uncertainty_ns) == (131 * second_ns, 0), "and what is surer"


async def test_tokens_are_dated_by_the_venues_clock_whatever_happens_to_the_local_one() -> None:
    private, secret = ed_key()
    local, monotonic = Fixed(NOW_S * 10**9), Fixed(0)
    server = ServerClock(local, monotonic.now_ns)
    assert server.now_ns() == local.ns, "nothing was said yet"
    # asked at 0 s, answered at 2 s: what the venue said was so at 1 s
    monotonic.ns = 2 * 10**9
    server.learn(sent_ns=0, server_ns=(NOW_S + 91) * 10**9, received_ns=2 * 10**9)
    assert (server.now_ns(), server.uncertainty_ns) == ((NOW_S + 92) * 10**9, 10**9)
    assert server.offset_ns == 92 * 10**9
    local.ns -= 3600 * 10**9  # somebody sets this machine's time
    monotonic.ns += 8 * 10**9
    token = await KeyAuthorization(ApiKey(ED_NAME, secret), server).for_request("POST", "host:1", "/orders")
    claims = jwt.decode(token, private.public_key(), algorithms=["EdDSA"], options={"verify_exp": False, "verify_nbf": False})
    assert (claims["nbf"], claims["uri"]) == (NOW_S + 100 - BACKDATED_S, "POST host:1/orders")
