"""``traider new strategy``: a strategy to start from, with its test."""

import keyword
import re
import sys
from importlib import resources
from pathlib import Path
from typing import Annotated

import typer

from traider.domain.errors import UserError

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_LONGEST = 60


def strategy(
    name: Annotated[str, typer.Argument(help="In lower case with underscores, for example my_idea.")],
    folder: Annotated[Path, typer.Option(help="Where to write it; made if it is not there.")] = Path(),
) -> int:
    """Write NAME.py, a commented strategy that runs, and test_NAME.py, its test. Nothing is overwritten."""
    check_name(name)
    made = folder / f"{name}.py", folder / f"test_{name}.py"
    for path in made:
        if path.exists() or path.is_symlink():
            raise UserError(f"{path}: is there already, and nothing is overwritten; choose another name or --folder")
    for path, template in zip(made, ("strategy.py.txt", "test_strategy.py.txt"), strict=True):
        _write(path, _filled_in(template, name))
    class_name = class_of(name)
    sys.stdout.write(
        f"{made[0]}\n{made[1]}\n\n"
        f"run it:   traider backtest {made[0]}:{class_name} --data BARS.parquet\n"
        f"test it:  python -m pytest {made[1]}\n"
    )
    return 0


def check_name(name: str) -> None:
    """UserError for a name that no module should have."""
    if not _NAME.fullmatch(name):
        raise UserError(f"{name!r} is no name for a strategy; write lower case letters, digits and single underscores, for example my_idea")
    if len(name) > _LONGEST:
        raise UserError(f"{name[:20]}… is too long a name; give one of at most {_LONGEST} characters")
    if keyword.iskeyword(name):
        raise UserError(f"{name!r} is a word of Python's own; choose another, for example {name}_idea")
    if name in sys.stdlib_module_names or name in ("traider", "numpy", "numba", "pyarrow", "pandas", "polars", "pytest"):
        raise UserError(f"a file {name}.py would hide the module {name} from everything beside it; choose another name")


def class_of(name: str) -> str:
    """``MyIdea`` of ``my_idea``."""
    return "".join(word.capitalize() for word in name.split("_"))


def _filled_in(template: str, name: str) -> str:
    text = resources.files(__package__).joinpath("templates", template).read_text(encoding="utf-8")
    title = name.replace("_", " ").capitalize()
    return text.replace("@TITLE@", title).replace("@NAME@", name).replace("@CLASS@", class_of(name))


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise UserError(f"{path}: can't be written: {error.strerror}; choose another --folder") from None
