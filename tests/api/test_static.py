import base64
import hashlib
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from tests.api.conftest import new_client
from traider.api.app import create_app
from traider.api.deps import ApiDeps

INLINE = b"self.__next_f = [1]"
INDEX = b'<!doctype html><script src="/_next/static/chunks/app-1a2b.js"></script><script id="x">%s</script><p>traider</p>' % INLINE


@pytest.fixture
def static_dir(tmp_path: Path) -> Path:
    """A small dashboard, as the build leaves it."""
    root = tmp_path / "static"
    files = {
        "index.html": INDEX,
        "404.html": b"<!doctype html><p>not here</p>",
        "login/index.html": b"<!doctype html><p>log in</p>",
        "_next/static/chunks/app-1a2b.js": b"run()",
        "icon.svg": b"<svg/>",
    }
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


async def test_pages_are_served_without_login_and_asked_for_anew_each_time(anyone: httpx.AsyncClient) -> None:
    for path, text in (("/", "traider"), ("/login/", "log in")):
        answer = await anyone.get(path)
        assert answer.status_code == 200
        assert text in answer.text
        assert answer.headers["cache-control"] == "no-cache"
        assert answer.headers["content-type"].startswith("text/html")
        again = await anyone.get(path, headers={"If-None-Match": answer.headers["etag"]})
        assert again.status_code == 304
        assert again.headers["cache-control"] == "no-cache"


async def test_a_page_without_its_slash_is_found(anyone: httpx.AsyncClient) -> None:
    answer = await anyone.get("/login", follow_redirects=True)
    assert "log in" in answer.text


async def test_files_named_by_their_content_are_kept_for_ever(anyone: httpx.AsyncClient) -> None:
    answer = await anyone.get("/_next/static/chunks/app-1a2b.js")
    assert answer.text == "run()"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert (await anyone.get("/icon.svg")).headers["cache-control"] == "no-cache"


async def test_of_inline_scripts_only_the_pages_own_may_run(anyone: httpx.AsyncClient) -> None:
    digest = base64.b64encode(hashlib.sha256(INLINE).digest()).decode()
    assert f"script-src 'self' 'sha256-{digest}'" in (await anyone.get("/")).headers["content-security-policy"]
    assert "sha256-" not in (await anyone.get("/login/")).headers["content-security-policy"]


async def test_an_unknown_page_is_the_builds_own_404(anyone: httpx.AsyncClient) -> None:
    answer = await anyone.get("/nowhere/")
    assert answer.status_code == 404
    assert "not here" in answer.text
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("path", ["/..%2fsecret", "/%2e%2e/secret", "/_next/static/../../../secret", "/nul%00l"])
async def test_nothing_outside_of_the_dashboard_is_served(anyone: httpx.AsyncClient, static_dir: Path, path: str) -> None:
    (static_dir.parent / "secret").write_text("secret")
    answer = await anyone.get(path)
    assert answer.status_code == 404
    assert answer.text != "secret"


async def test_the_api_is_not_a_page(anyone: httpx.AsyncClient) -> None:
    answer = await anyone.get("/api/nothing")
    assert (answer.status_code, answer.json()) == (404, {"detail": "there is no such path in this API"})
    assert (await anyone.get("/openapi.json")).json()["info"]["title"] == "traider"


@pytest.mark.parametrize("directory", [None, Path("no/such/directory")])
async def test_a_dashboard_that_is_not_built_says_how_to_have_it(deps: ApiDeps, directory: Path | None) -> None:
    app: FastAPI = create_app(ApiDeps(**{**vars(deps), "static_dir": directory}))
    async with app.router.lifespan_context(app), new_client(app) as client:
        for path in ("/", "/login/"):
            answer = await client.get(path)
            assert answer.status_code == 503
            assert "make run" in answer.text
        assert (await client.get("/api/nothing")).status_code == 404
