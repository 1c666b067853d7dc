"""Keys of both kinds, made for a test, in the forms in which Coinbase issues them."""

import base64
import json
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

EC_NAME = "organizations/11111111-2222-3333-4444-555555555555/apiKeys/66666666-7777-8888-9999-000000000000"
ED_NAME = "0f8fad5b-d9cb-469f-a165-70867728950e"

PublicKey = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey


def ec_key() -> tuple[ec.EllipticCurvePrivateKey, str]:
    """A P-256 key and its SEC1 PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    return key, key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()


def ed_key() -> tuple[ed25519.Ed25519PrivateKey, str]:
    """An Ed25519 key and base64 of its seed with its public half behind it."""
    key = ed25519.Ed25519PrivateKey.generate()
    seed = key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    return key, base64.b64encode(seed + key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


def key_file(folder: Path, content: dict[str, str]) -> Path:
    """A key file with this content."""
    path = folder / "cdp_api_key.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path
