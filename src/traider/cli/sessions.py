"""Recorded sessions, as commands name them."""

import re
from pathlib import Path

from traider.domain.errors import UserError
from traider.guard.place import JOURNAL
from traider.runtime.settings import load_settings
from traider.storage.session_file import FOLDER, session_path

_SHOWN = 10  # of the sessions that there are, the newest
_ID = re.compile(r"s\d+")


def names_session(text: str) -> bool:
    """Whether the text names a recorded session, and no strategy: a ``.jsonl`` file, or an id such as s2."""
    return Path(text).suffix == ".jsonl" or _ID.fullmatch(text) is not None


def recording_of(session: str, state_dir: Path | None) -> Path:
    """The file of a session that is named by its path, or by its id in the state directory; UserError says which there are."""
    given = Path(session)
    if given.suffix == ".jsonl":
        return given
    state_dir = state_dir or load_settings().state.directory
    path = session_path(state_dir, session)
    if not path.exists():
        there = sorted((file.stem for file in path.parent.glob("*.jsonl")), key=lambda name: (len(name), name))
        told = f"there are: {', '.join(there[-_SHOWN:])}" if there else "there is none; a session is recorded while it trades"
        raise UserError(f"no session {session} is recorded in {path.parent}; {told}")
    return path


def journal_of(recording: Path, state_dir: Path | None) -> Path:
    """The journal of the guard that the session traded through: in the state directory that the recording is kept in."""
    if state_dir is None:
        state_dir = recording.resolve().parent.parent if recording.resolve().parent.name == FOLDER else load_settings().state.directory
    return state_dir / JOURNAL
