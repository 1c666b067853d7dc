"""Tokens at rest: encrypted in a file, with a key in another one that only its owner can read.

Who has both files has the tokens: the key file belongs on another disk or under another backup than the state directory.
"""

import os
import stat
from pathlib import Path

import msgspec
from cryptography.fernet import Fernet, InvalidToken

from traider.domain.errors import UserError

from .tokens import Tokens

_MODE = 0o600


class TokenVault:
    """One account's tokens. Written whole and renamed, so that a crash leaves the old ones or the new ones."""

    def __init__(self, path: Path, key_path: Path) -> None:
        self._path = path
        self._key_path = key_path

    def store(self, tokens: Tokens) -> None:
        """From now on these are the tokens, also after a power cut."""
        sealed = Fernet(self._key(create=True)).encrypt(msgspec.json.encode(tokens))
        _write(self._path, sealed)

    def load(self) -> Tokens | None:
        """The stored tokens, None where there are none; ``UserError`` where they can't be opened."""
        try:
            sealed = self._path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise UserError(f"the stored tokens {self._path} can't be read: {error.strerror}") from None
        try:
            return msgspec.json.decode(Fernet(self._key(create=False)).decrypt(sealed), type=Tokens)
        except (InvalidToken, msgspec.MsgspecError):
            raise UserError(f"the stored tokens {self._path} can't be opened with {self._key_path}: grant the access again") from None

    def exists(self) -> bool:
        """Whether there are stored tokens; whether they can be opened is another question."""
        return self._path.exists()

    def forget(self) -> None:
        """There are no tokens any more."""
        self._path.unlink(missing_ok=True)

    def _key(self, *, create: bool) -> bytes:
        try:
            mode = stat.S_IMODE(self._key_path.stat().st_mode)
        except FileNotFoundError:
            if not create:
                raise UserError(f"the key {self._key_path} of the stored tokens is gone: grant the access again") from None
            _write(self._key_path, Fernet.generate_key())
            mode = _MODE
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise UserError(f"the key {self._key_path} can be read by others: chmod 600 it")
        key = self._key_path.read_bytes().strip()
        try:
            Fernet(key)
        except ValueError:
            raise UserError(f"{self._key_path} holds no key: remove it and grant the access again") from None
        return key


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.new")
    beside.unlink(missing_ok=True)
    fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE)
    try:
        os.write(fd, content)
        os.fsync(fd)
    finally:
        os.close(fd)
    beside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
