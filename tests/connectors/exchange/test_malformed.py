"""Requests that are none: the exchange answers, says nothing about them, and goes on."""

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest

from tests.connectors.exchange.running import Running, exchange

ORDERS = b"POST /api/v3/brokerage/orders HTTP/1.1\r\nHost: x\r\n"


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    async with exchange() as running:
        yield running


async def answer(running: Running, request: bytes) -> bytes:
    """The first line of what comes back."""
    reader, writer = await asyncio.open_connection("127.0.0.1", running.serving.port)
    writer.write(request)
    line = await asyncio.wait_for(reader.readline(), 5)
    writer.close()
    return line


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x00\x01\x02\r\n\r\n",
        b"GET /api/v3/brokerage/time HTTP/1.1\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
        ORDERS + b"Content-Length: -5\r\n\r\n",
        ORDERS + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ORDERS + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        ORDERS + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd",
    ],
)
async def test_what_is_no_request_is_a_bad_one(running: Running, request_bytes: bytes, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "traider.exchange"):
        assert b" 400 " in await answer(running, request_bytes)
    assert not [record for record in caplog.records if record.name == "traider.exchange"]
    assert (await running.call("GET", "/accounts")).status == 200


async def test_a_body_beyond_a_mebibyte_is_too_large(running: Running) -> None:
    assert b" 413 " in await answer(running, ORDERS + b"Content-Length: 3000000\r\n\r\n" + b"x" * 3_000_000)


async def test_who_hangs_up_in_the_middle_of_a_request_is_forgotten(running: Running, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(20):
        _, writer = await asyncio.open_connection("127.0.0.1", running.serving.port)
        writer.write(ORDERS + b"Content-Length: 100\r\n\r\n{")
        await writer.drain()
        await asyncio.sleep(0.001)
        writer.transport.abort()
    await asyncio.sleep(0.05)
    assert (await running.call("GET", "/accounts")).status == 200
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
