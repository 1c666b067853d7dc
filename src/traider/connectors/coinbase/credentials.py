"""A key as Coinbase issues it: a name, and a secret in one of several written forms. The secret is never shown.

| kind | name | secret |
|---|---|---|
| ECDSA P-256 | ``organizations/{org}/apiKeys/{id}`` | PEM, SEC1 or PKCS#8; a backslash and an ``n`` may stand for a line's end |
| Ed25519 | a UUID | base64 of 32 or 64 bytes (seed, and public key after it), or PKCS#8 PEM |

A key file is JSON: ``name`` or ``id``, and ``privateKey``.
"""

import base64
import binascii
from pathlib import Path
from typing import Any

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from traider.domain.errors import UserError

PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
_SEED_BYTES = 32


class ApiKey:
    """A key that can sign. Neither ``repr`` nor ``str`` nor pickling gives the secret away."""

    __slots__ = ("name", "private_key", "secret")

    def __init__(self, name: str, secret: str) -> None:
        if not name.strip():
            raise UserError("the Coinbase key has no name: set COINBASE_API_KEY to the key's `name` or `id`")
        self.name = name.strip()
        self.private_key = _private_key(secret)
        self.secret = secret  # as it was issued: Coinbase's SDK wants to read it by itself

    def __repr__(self) -> str:
        return f"ApiKey(name={self.name!r}, secret hidden)"

    def __reduce__(self) -> Any:
        raise TypeError("a key is not written anywhere")

    @property
    def algorithm(self) -> str:
        """The signature's name in a token."""
        return "EdDSA" if isinstance(self.private_key, ed25519.Ed25519PrivateKey) else "ES256"


class _KeyFile(msgspec.Struct, rename="camel"):
    private_key: str
    name: str = ""
    id: str = ""


def read_key_file(path: Path, *, name: str = "") -> ApiKey:
    """The key in a file: Coinbase's JSON, or a PEM alone whose name is given beside it."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"the Coinbase key file {path} can't be read: {_why(error)}") from None
    if not text.lstrip().startswith("{"):
        return ApiKey(name, text)
    try:
        found = msgspec.json.decode(text, type=_KeyFile)
    except msgspec.MsgspecError:
        # The decoder's own message could quote what stands there.
        raise UserError(f"the Coinbase key file {path} is not what Coinbase issues: JSON with `name` or `id`, and `privateKey`") from None
    return ApiKey(found.name or found.id or name, found.private_key)


def _why(error: OSError | UnicodeDecodeError) -> str:
    return error.strerror or "no reason given" if isinstance(error, OSError) else "it is not text"


def _private_key(secret: str) -> PrivateKey:
    if "-----BEGIN" in secret:
        return _from_pem(secret)
    return _from_base64(secret)


def _from_pem(secret: str) -> PrivateKey:
    text = secret.strip().replace("\\n", "\n")
    try:
        key = load_pem_private_key(text.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise UserError("the Coinbase key is a PEM that can't be read: give it whole, as Coinbase issued it") from None
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    raise UserError("the Coinbase key is of another kind than Coinbase takes: ECDSA on P-256, or Ed25519")


def _from_base64(secret: str) -> PrivateKey:
    try:
        raw = base64.b64decode("".join(secret.split()), validate=True)
    except (binascii.Error, ValueError):
        raise UserError("the Coinbase key is neither PEM nor base64: give it whole, as Coinbase issued it") from None
    if len(raw) not in (_SEED_BYTES, 2 * _SEED_BYTES):
        raise UserError(f"the Coinbase key in base64 has {len(raw)} bytes: an Ed25519 key has 64, or 32 without its public half")
    key = ed25519.Ed25519PrivateKey.from_private_bytes(raw[:_SEED_BYTES])
    if raw[_SEED_BYTES:] not in (b"", key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)):
        raise UserError("the Coinbase key's two halves do not belong together: give it whole, as Coinbase issued it")
    return key
