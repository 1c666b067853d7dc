"""API keys as the exchange issues them, and whom they belong to."""

import base64
import secrets
import uuid
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Literal

from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from .accounts import Account

KeyKind = Literal["ecdsa", "ed25519"]
PublicKey = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey
SCOPES = ("view", "trade", "transfer")


@dataclass(slots=True)
class Key:
    """What the exchange knows of a key. ``name`` is the token's ``kid`` and ``sub``."""

    name: str
    public: PublicKey
    account: Account
    scopes: set[str]
    revoked: bool = False


@dataclass(slots=True)
class KeyRing:
    """All keys, by name."""

    keys: dict[str, Key] = field(default_factory=dict)

    def issue(self, account: Account, kind: KeyKind, scopes: Collection[str]) -> dict[str, Any]:
        """A new key of this account; its key file's content, the only place where the private part is."""
        content, public = make_key(kind)
        name = content.get("name") or content["id"]
        self.keys[name] = Key(name, public, account, set(scopes))
        return content


def make_key(kind: KeyKind) -> tuple[dict[str, Any], PublicKey]:
    """A key file's content, in the form that belongs to the kind, and the public key."""
    if kind == "ecdsa":
        elliptic = ec.generate_private_key(ec.SECP256R1())
        pem = elliptic.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
        return {"name": f"organizations/{uuid.uuid4()}/apiKeys/{uuid.uuid4()}", "privateKey": pem}, elliptic.public_key()
    seed = secrets.token_bytes(32)
    edwards = ed25519.Ed25519PrivateKey.from_private_bytes(seed)
    public = edwards.public_key()
    both = seed + public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return {"id": str(uuid.uuid4()), "privateKey": base64.b64encode(both).decode()}, public
