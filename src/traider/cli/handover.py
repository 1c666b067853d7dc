"""Keeps the exchange's key out of every process but the guard: a command that was given one starts over without it.

What a process was started with can be read from outside for as long as it runs, whatever it deletes of it later. So ``traider up``,
``traider live`` and ``traider enable-live`` replace themselves, under the same process id, before they do anything else. The latter
two leave what the guard will need: the path of the key's file, or a file without a name that the secret was moved to and that only
the guard reads.
"""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

NAME, SECRET, KEY_FILE = "COINBASE_API_KEY", "COINBASE_API_SECRET", "COINBASE_KEY_FILE"
SECRETS = (NAME, SECRET, KEY_FILE, "COINBASE_OAUTH_CLIENT_SECRET")
FOR_GUARD, NAME_FOR_GUARD = "TRAIDER_GUARD_KEY_FILE", "TRAIDER_GUARD_KEY_NAME"
_WITH_GUARD = ("live", "enable-live")  # which start a guard that needs it
_COMMANDS = ("up", *_WITH_GUARD)


def start_over_without_secrets(words: Sequence[str]) -> None:
    """Replaces this process where it is one that should not have been given a key; else returns."""
    command = next((word for word in words if not word.startswith("-")), "")
    if command not in _COMMANDS or not any(os.environ.get(name) for name in SECRETS):
        return
    clean = without_secrets(os.environ)
    if command in _WITH_GUARD:
        clean |= _left_for_guard(os.environ)
    os.execve(sys.executable, (sys.executable, *sys.orig_argv[1:]), clean)  # noqa: S606 - the same command, once more


def without_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables without those that a key is given by."""
    return {name: value for name, value in environment.items() if name not in (*SECRETS, FOR_GUARD, NAME_FOR_GUARD)}


def guard_key(environment: Mapping[str, str]) -> tuple[dict[str, str], tuple[int, ...]]:
    """The variables, and the open files, that the guard is to be given; none where there is no key."""
    path, name = environment.get(FOR_GUARD, ""), environment.get(NAME_FOR_GUARD, "")
    if not path:
        return {}, ()
    given = {KEY_FILE: path} | ({NAME: name} if name else {})
    return given, (int(path.rpartition("/")[2]),) if path.startswith("/dev/fd/") else ()


def _left_for_guard(environment: Mapping[str, str]) -> dict[str, str]:
    name, secret, path = (environment.get(one, "").strip() for one in (NAME, SECRET, KEY_FILE))
    if path and not secret:
        return {FOR_GUARD: str(Path(path).absolute())} | ({NAME_FOR_GUARD: name} if name else {})
    if path or bool(name) != bool(secret) or not hasattr(os, "memfd_create"):
        return {}  # not one key, or a system that has no files in memory: the command says that there is none
    fd = os.memfd_create("traider-key", 0)
    os.write(fd, json.dumps({"name": name, "privateKey": secret}).encode())
    return {FOR_GUARD: f"/dev/fd/{fd}"}
