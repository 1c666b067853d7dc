"""The project's own Markdown files, and what they link to."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
_NOT_OURS = {"node_modules", ".venv", ".git", ".next", "build", "out"}
_LINK = re.compile(r"!?\[[^\]]*\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)")
_FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]*`")


def pages(folder: Path = ROOT) -> Iterator[Path]:
    """Every Markdown file of the project, in a stable order."""
    for path in sorted(folder.iterdir()):
        if path.is_dir() and path.name not in _NOT_OURS:
            yield from pages(path)
        elif path.suffix == ".md":
            yield path


def links(page: Path) -> list[str]:
    """The targets of the page's links and images, those in code left out."""
    return _LINK.findall(_CODE.sub("", _without_fences(page)))


def anchors(page: Path) -> set[str]:
    """The names under which GitHub lets a link point at the page's headings."""
    headings = re.findall(r"^#{1,6} +(.+?) *#*$", _without_fences(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _without_fences(page: Path) -> str:
    return _FENCE.sub("", page.read_text(encoding="utf-8"))
