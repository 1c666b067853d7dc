"""A recording that is named and not there: which there are."""

from pathlib import Path

import pytest

from traider.cli.sessions import recording_of
from traider.domain.errors import UserError
from traider.storage.session_file import session_path


def test_of_a_session_that_was_not_recorded_those_that_were_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no session s1 is recorded in .*, which has none$"):
        recording_of("s1", tmp_path)
    for name in ("s12", "s2"):
        path = session_path(tmp_path, name)
        path.parent.mkdir(exist_ok=True)
        path.touch()
    assert recording_of("s2", tmp_path) == session_path(tmp_path, "s2")
    with pytest.raises(UserError, match=r"which has s2, s12$"):
        recording_of("s1", tmp_path)
