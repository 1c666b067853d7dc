"""The built dashboard: static files, with the headers that each kind of file wants."""

import base64
import hashlib
import os
import re
from pathlib import Path
from typing import TypeGuard

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import PathLike, StaticFiles
from starlette.types import Scope

from .middleware import content_policy

_IMMUTABLE = "public, max-age=31536000, immutable"  # the build puts a hash of the content into these names
_REVALIDATE = "no-cache"
_HASHED = "_next/static"
_INLINE_SCRIPT = re.compile(rb"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", re.DOTALL | re.IGNORECASE)

NOT_BUILT = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>traider</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body { font: 16px/1.5 system-ui, sans-serif; background: #0b0e14; color: #d5dae3; margin: 15vh auto; max-width: 34rem; padding: 0 1rem }
code { background: #1a1f2b; padding: .1em .4em; border-radius: .25em } a { color: #7aa2f7 }
</style></head>
<body><h1>The dashboard is not built</h1>
<p>The platform runs, and its API answers. <code>make run</code> builds the dashboard and starts the platform again.</p>
<p>The API describes itself at <a href="/openapi.json">/openapi.json</a>.</p></body></html>
"""


def built_dashboard() -> Path:
    """Where the build puts the dashboard."""
    return Path(__file__).parent / "static"


def is_built(directory: Path | None) -> TypeGuard[Path]:
    """Whether a dashboard can be served from there."""
    return directory is not None and (directory / "index.html").is_file()


class Dashboard(StaticFiles):
    """The pages and their parts; an unknown page is the build's own 404 page. The files are those of the moment it was made."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory=directory, html=True)
        self._root = directory.resolve()
        self._policies = {path: content_policy(_inline_scripts(path)) for path in self._root.rglob("*.html")}

    async def get_response(self, path: str, scope: Scope) -> Response:
        if scope["path"].startswith("/api/"):
            raise HTTPException(404, "there is no such path in this API")
        response = await super().get_response(path, scope)
        if response.status_code == 404:
            self._set_headers(response, self._root / "404.html")
        return response

    def file_response(self, full_path: PathLike, stat_result: os.stat_result, scope: Scope, status_code: int = 200) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        self._set_headers(response, Path(full_path))
        return response

    def _set_headers(self, response: Response, path: Path) -> None:
        if path in self._policies:
            response.headers["Content-Security-Policy"] = self._policies[path]
        hashed = path.is_relative_to(self._root / _HASHED)
        response.headers["Cache-Control"] = _IMMUTABLE if hashed else _REVALIDATE


def _inline_scripts(page: Path) -> list[str]:
    digests = (hashlib.sha256(script).digest() for script in _INLINE_SCRIPT.findall(page.read_bytes()) if script)
    return [f"sha256-{base64.b64encode(digest).decode()}" for digest in digests]


async def not_built(request: Request) -> Response:
    """In place of the dashboard: says how to have it built."""
    if request.url.path.startswith("/api/"):
        raise HTTPException(404, "there is no such path in this API")
    return HTMLResponse(NOT_BUILT, status_code=503, headers={"Cache-Control": "no-store"})
