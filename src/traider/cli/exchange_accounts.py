"""Accounts of the exchange simulator from the command line: what they have, and the files of their keys."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, get_args

from traider.connectors.sim.exchange.keys import SCOPES, KeyKind
from traider.connectors.sim.exchange.products import Product
from traider.connectors.sim.exchange.settings import FUNDS
from traider.connectors.sim.exchange.simulator import Simulator
from traider.connectors.sim.exchange.units import atoms, parse_atoms
from traider.domain.errors import SettingsError

_FORM = "write NAME:FILE[:KIND[:SCOPE+SCOPE[:CURRENCY=AMOUNT+...]]], for example bob:bob.json:ed25519:view+trade:USD=1000+BTC=1"
_SCOPES = ("view", "trade")


def default_funds(products: Iterable[Product]) -> dict[str, int]:
    """What an account has where nothing is said: enough of every currency that is traded."""
    return {product.base: atoms(100) for product in products} | {product.quote: atoms(1_000_000) for product in products} | FUNDS


def parse_funds(texts: list[str], option: str) -> dict[str, int]:
    """Atoms by currency."""
    funds = {}
    for text in texts:
        currency, equals, amount = text.partition("=")
        value = parse_atoms(amount)
        if not equals or not currency.isalnum() or value is None:
            raise SettingsError(f"{option} {text}: write CURRENCY=AMOUNT, for example USD=1000")
        funds[currency.upper()] = value
    return funds


def open_account(simulator: Simulator, text: str) -> None:
    """The account that an --account asks for, and its key's file."""
    name, path, kind, scopes, funds, *more = [*text.split(":"), "", "", "", ""]
    wanted = scopes.split("+") if scopes else list(_SCOPES)
    if not name or not path or any(more) or set(wanted) - set(SCOPES):
        raise SettingsError(f"--account {text}: {_FORM}")
    if any(there.name == name for there in simulator.exchange.accounts.values()):
        raise SettingsError(f"--account {text}: there is an account {name} already; give another name")
    has = parse_funds(funds.split("+"), "--account") if funds else default_funds(simulator.exchange.products.values())
    account = simulator.open_account(name, has)
    write_key(writable(Path(path), "--account"), simulator.issue_key(account, key_kind(kind or "ecdsa", "--account"), wanted))


def key_kind(text: str, option: str) -> KeyKind:
    for kind in get_args(KeyKind):
        if kind == text:
            return kind  # type: ignore[no-any-return]  # one of the literal's values
    raise SettingsError(f"{option}: {text} is no kind of key; give {' or '.join(get_args(KeyKind))}")


def writable(path: Path | None, option: str) -> Path | None:
    if path is not None and (path.is_dir() or not path.parent.is_dir()):
        raise SettingsError(f"{option} {path}: is a folder, or its folder is not there; give a file's path")
    return path


def write_key(path: Path | None, content: dict[str, Any]) -> None:
    """Only its owner may read it."""
    if path is None:
        return
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump(content, file, indent=2)
    except OSError as error:
        raise SettingsError(f"{path}: can't be written: {error.strerror}; give another file") from None


def beside(key_out: Path | None) -> Path:
    if key_out is None:
        raise SettingsError("--tls and --tls-port need --key-out: the authority's certificate is written beside the key")
    return key_out.with_name(f"{key_out.stem}.ca.pem")
