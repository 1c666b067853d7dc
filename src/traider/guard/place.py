"""What lies where in a guard's state directory, and how a client finds its guard there."""

import os
from pathlib import Path

from traider.domain.errors import LinkError, UserError
from traider.runtime.link import Endpoint, load_secret, parse_endpoint

JOURNAL = "journal.jsonl"
SECRET = "guard.secret"  # noqa: S105  # a file's name
SOCKET = "guard.sock"
ENDPOINT = "guard.endpoint"


def make_directory(path: Path) -> None:
    """Guarantees that the state directory is there and can be written to; ``UserError`` when it can't be had."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"TRAIDER_STATE_DIR: {path} can't be made ({error.strerror})") from None
    if not os.access(path, os.W_OK | os.X_OK):
        raise UserError(f"TRAIDER_STATE_DIR: {path} can't be written to")


def announce(state_dir: Path, endpoint: Endpoint) -> None:
    """Tells clients where the guard listens."""
    path = state_dir / ENDPOINT
    partial = path.with_suffix(".new")
    partial.write_text(f"{endpoint}\n")
    partial.replace(path)  # whoever reads sees the old address or the new one, never half of it


def find_guard(state_dir: Path) -> tuple[Endpoint, bytes]:
    """Where the guard of this state directory listened last, and the secret that it shares with its clients."""
    try:
        url = (state_dir / ENDPOINT).read_text().strip()
    except FileNotFoundError:
        raise LinkError(f"no guard has been started in {state_dir}") from None
    return parse_endpoint(url), load_secret(state_dir / SECRET)
