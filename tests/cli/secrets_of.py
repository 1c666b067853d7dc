"""Where a secret is: in the environment, the command line or the memory of a process, or in the files of a folder."""

import os
from collections.abc import Sequence
from pathlib import Path

_AT_A_TIME = 8 << 20


def forms_of(secret: str) -> tuple[bytes, ...]:
    """The secret as it was issued, as JSON writes it, and its longest line alone, which any other form of a PEM holds too."""
    longest = max(secret.splitlines(), key=len)
    return tuple({secret.encode(), secret.replace("\n", "\\n").encode(), longest.encode()})


def places_in_process(pid: int, secret: str) -> list[str]:
    """What of the process holds it: ``environ``, ``cmdline``, and parts of its memory by their names."""
    forms = forms_of(secret)
    root = Path("/proc") / str(pid)
    found = [name for name in ("environ", "cmdline") if _holds((root / name).read_bytes(), forms)]
    return found + _memory(root, forms)


def files_with(folder: Path, secret: str) -> list[str]:
    """Every file below the folder that holds it."""
    forms = forms_of(secret)
    files = [path for path in folder.rglob("*") if path.is_file()]
    return sorted(str(path.relative_to(folder)) for path in files if _holds(path.read_bytes(), forms))


def _memory(root: Path, forms: Sequence[bytes]) -> list[str]:
    found = []
    memory = os.open(root / "mem", os.O_RDONLY)
    try:
        for line in (root / "maps").read_text().splitlines():
            span, rights, *_, name = line.split(maxsplit=5) if line.count(" ") >= 5 else (*line.split(), "")
            if "r" not in rights or name in ("[vvar]", "[vsyscall]"):
                continue
            start, end = (int(part, 16) for part in span.split("-"))
            if any(_holds(block, forms) for block in _blocks(memory, start, end)):
                found.append(f"mem {name or span}")
    finally:
        os.close(memory)
    return found


def _blocks(memory: int, start: int, end: int) -> list[bytes]:
    """The part in blocks that overlap by more than a secret is long; what can't be read is left out."""
    blocks = []
    for at in range(start, end, _AT_A_TIME):
        try:
            blocks.append(os.pread(memory, min(_AT_A_TIME + 4096, end - at), at))
        except OSError:
            continue
    return blocks


def _holds(data: bytes, forms: Sequence[bytes]) -> bool:
    return any(form in data for form in forms)
