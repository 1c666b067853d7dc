"""Accounts of the exchange simulator from the command line: what they have, and the files of their keys."""

import json
import os
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, get_args

from traider.connectors.sim.exchange.accounts import Account
from traider.connectors.sim.exchange.keys import SCOPES, KeyKind
from traider.connectors.sim.exchange.products import Product
from traider.connectors.sim.exchange.settings import FUNDS, FeeTier
from traider.connectors.sim.exchange.simulator import Simulator
from traider.connectors.sim.exchange.units import ONE, PPM, atoms, parse_atoms
from traider.connectors.sim.exchange.units import text as amount_text
from traider.domain.errors import SettingsError
from traider.guard.lock import Lock

FIRST = "main"

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


@contextmanager
def held(state: Path | None, parent: int | None) -> Iterator[None]:
    """Keeps any other exchange out of the state file."""
    if state is None:
        yield
        return
    lock = Lock.acquire(state.with_name(f"{state.name}.lock"), what=f"--state {state}", started_by="hand" if parent is None else "up")
    try:
        yield
    finally:
        lock.release()


def first_account(simulator: Simulator, funds: dict[str, int], *, asked: bool) -> Account:
    """The account ``main``, as it was left or opened with these funds; ``SettingsError`` where it was opened with others than are asked."""
    account = account_of(simulator, FIRST)
    if account is None:
        return simulator.open_account(FIRST, funds)
    opened = simulator.funds[FIRST]
    if asked and opened != funds:
        had, now = (", ".join(f"{amount_text(amount)} {currency}" for currency, amount in one.items()) for one in (opened, funds))
        raise SettingsError(f"this account was opened with {had}, not {now}: leave out what it begins with, or begin in another place")
    return account


def account_of(simulator: Simulator, name: str) -> Account | None:
    return next((account for account in simulator.exchange.accounts.values() if account.name == name), None)


def set_fees(account: Account, maker: str | None, taker: str | None) -> None:
    """Rates in place of those that follow from the account's volume."""
    if maker is None and taker is None:
        return
    rates = []
    for text, option in ((maker or "0", "--fee-maker"), (taker or "0", "--fee-taker")):
        rate = parse_atoms(text)
        if rate is None or rate * PPM % ONE or rate >= ONE:
            raise SettingsError(f"{option} {text}: give a rate below 1, such as 0.006, of at most 6 decimals")
        rates.append(rate * PPM // ONE)
    account.tier = FeeTier("Set by hand", 0, *rates)


def give_key(simulator: Simulator, account: Account, path: Path | None, kind: KeyKind, scopes: Collection[str]) -> None:
    """Sees to it that the file holds a key of the account; one that the exchange remembers stays."""
    if path is None:
        return
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        name = content.get("name") or content.get("id")
    except (OSError, ValueError, AttributeError):
        name = None
    known = simulator.ring.keys.get(str(name))
    if known is None or known.account is not account:
        write_key(path, simulator.issue_key(account, kind, scopes))


def open_account(simulator: Simulator, text: str, *, remembered: bool = False) -> None:
    """The account that an --account asks for, and its key's file."""
    name, path, kind, scopes, funds, *more = [*text.split(":"), "", "", "", ""]
    wanted = scopes.split("+") if scopes else list(_SCOPES)
    if not name or not path or any(more) or set(wanted) - set(SCOPES):
        raise SettingsError(f"--account {text}: {_FORM}")
    account = account_of(simulator, name)
    if account is not None and not (remembered and name != FIRST):
        raise SettingsError(f"--account {text}: there is an account {name} already; give another name")
    if account is None:
        has = parse_funds(funds.split("+"), "--account") if funds else default_funds(simulator.exchange.products.values())
        account = simulator.open_account(name, has)
    give_key(simulator, account, writable(Path(path), "--account"), key_kind(kind or "ecdsa", "--account"), wanted)


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
        partial = path.with_name(f"{path.name}.new")
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump(content, file, indent=2)
        partial.replace(path)
    except OSError as error:
        raise SettingsError(f"{path}: can't be written: {error.strerror}; give another file") from None


def beside(key_out: Path | None) -> Path:
    if key_out is None:
        raise SettingsError("--tls and --tls-port need --key-out: the authority's certificate is written beside the key")
    return key_out.with_name(f"{key_out.stem}.ca.pem")
