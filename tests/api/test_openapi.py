import json
import subprocess
import sys

import httpx

from traider.api.openapi import document


def test_the_module_prints_the_document() -> None:
    printed = subprocess.run([sys.executable, "-m", "traider.api.openapi"], capture_output=True, check=True, text=True).stdout
    assert printed == document()


async def test_what_is_printed_is_what_is_served(anyone: httpx.AsyncClient) -> None:
    assert (await anyone.get("/openapi.json")).json() == json.loads(document())


def test_every_error_has_one_shape_and_every_stream_event_is_described() -> None:
    described = json.loads(document())
    schemas = described["components"]["schemas"]
    assert "HTTPValidationError" not in schemas
    assert set(schemas["StreamEvents"]["properties"]) == {"market", "order", "fill", "account", "risk", "system"}
    stream = described["paths"]["/api/streams/sse"]["get"]["responses"]
    assert stream["200"]["content"] == {"text/event-stream": {"schema": {"$ref": "#/components/schemas/StreamEvents"}}}
    assert list(stream["401"]["content"]) == ["application/json"]
