"""Prints one SHA-256 over the names and contents of files and folders: the key that says whether a step is up to date."""

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

NOT_SOURCES = {"node_modules", ".next", "out", "__pycache__", "next-env.d.ts", "tsconfig.tsbuildinfo"}


def files(path: Path) -> Iterator[Path]:
    """Every source file at or under ``path``, in a stable order."""
    if path.name in NOT_SOURCES:
        return
    if path.is_dir():
        for child in sorted(path.iterdir()):
            yield from files(child)
    else:
        yield path


def digest(paths: list[Path]) -> str:
    total = hashlib.sha256()
    for path in paths:
        for file in files(path):
            content = file.read_bytes()
            total.update(f"{file.as_posix()}\0{len(content)}\0".encode())
            total.update(content)
    return total.hexdigest()


if __name__ == "__main__":
    print(digest([Path(name) for name in sys.argv[1:]]))
