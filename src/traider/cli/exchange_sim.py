"""``traider exchange-sim``: an exchange on this machine that speaks Coinbase Advanced Trade's protocol, until Ctrl-C."""

import asyncio
import signal
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from traider.connectors.sim.exchange.generated import GeneratedMarket
from traider.connectors.sim.exchange.products import Product
from traider.connectors.sim.exchange.recording import recorded_market
from traider.connectors.sim.exchange.serving import Address, Serving
from traider.connectors.sim.exchange.settings import Bounds, Config, Switches
from traider.connectors.sim.exchange.simulator import Setup, Simulator
from traider.connectors.sim.exchange.tls import server_context
from traider.domain.errors import SettingsError
from traider.runtime.loop import run

from . import exchange_accounts as accounts
from .amounts import increment
from .recordings import read_recording

_PRICES = {"BTC": 65_000.0, "ETH": 1_900.0, "SOL": 150.0}
_PAST_HOURS = 6


def exchange_sim(
    port: Annotated[int, typer.Option(help="REST and both sockets; 0: a free one.", min=0, max=65_535)] = 9000,
    control_port: Annotated[int | None, typer.Option(help="Faults, truth and clock. [default: none]", min=0, max=65_535)] = None,
    host: Annotated[str, typer.Option(help="Where to listen.")] = "127.0.0.1",
    product: Annotated[list[str] | None, typer.Option(help="BASE-QUOTE, as often as needed. [default: BTC-USD]")] = None,
    replay: Annotated[
        list[str] | None,
        typer.Option(help="File of a book, quotes, trades or bars, for the first product, or PRODUCT=FILE. Without it: made up."),
    ] = None,
    speed: Annotated[float, typer.Option(help="Times as fast as it was recorded.")] = 1.0,
    once: Annotated[bool, typer.Option("--once", help="A recording stops at its end, and does not begin again.")] = False,
    seed: Annotated[int, typer.Option(help="Of the made-up market, and of every id.", min=0)] = 1,
    depth: Annotated[int, typer.Option(help="Levels a side of a made-up book.", min=1, max=100_000)] = 50,
    steps_per_s: Annotated[float, typer.Option(help="How often a made-up market moves.")] = 8.0,
    infer_trades: Annotated[bool, typer.Option(help="Of a book recorded without trades: where the price passed, it traded.")] = True,
    virtual: Annotated[bool, typer.Option("--virtual", help="Time moves only by POST /clock.")] = False,
    virtual_start: Annotated[str | None, typer.Option(help="RFC 3339. [default: now]")] = None,
    key_out: Annotated[Path | None, typer.Option(help="Where the first account's key is written.")] = None,
    key_kind: Annotated[str, typer.Option(help="ecdsa or ed25519.")] = "ecdsa",
    fund: Annotated[list[str] | None, typer.Option(help="CURRENCY=AMOUNT of the first account, as often as needed.")] = None,
    account: Annotated[
        list[str] | None, typer.Option(help="NAME:FILE[:KIND[:SCOPE+SCOPE[:CURRENCY=AMOUNT+...]]] of a further account, with its key.")
    ] = None,
    tls: Annotated[bool, typer.Option("--tls", help="https and wss; the authority's certificate is written beside the key.")] = False,
    tls_port: Annotated[int | None, typer.Option(help="https and wss there, beside the plain port.", min=0, max=65_535)] = None,
    switch: Annotated[list[str] | None, typer.Option(help="NAME=VALUE of the page on the simulator, as often as needed.")] = None,
    quantity_triggers: Annotated[bool, typer.Option("--quantity-triggers", help="Faults by the last digits of a size.")] = False,
    truth_file: Annotated[Path | None, typer.Option(help="Every request and fill is appended to it.")] = None,
    state: Annotated[
        Path | None, typer.Option(help="Accounts, keys, orders and fills are kept in it over restarts. [default: nothing is kept]")
    ] = None,
    fee_maker: Annotated[str | None, typer.Option(help="Of the first account, in place of the tiers by volume, such as 0.004.")] = None,
    fee_taker: Annotated[str | None, typer.Option(help="The same for what it takes.")] = None,
    price_increment: Annotated[str, typer.Option(help="Of every product.")] = "0.01",
    size_increment: Annotated[str, typer.Option(help="Of every product.")] = "0.00000001",
    listen_fd: Annotated[int | None, typer.Option(hidden=True)] = None,
    parent: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> int:
    """Serve an exchange on this machine that speaks Coinbase Advanced Trade's REST and WebSocket protocol. Ctrl-C stops it."""
    if not 0 < speed <= 1e6 or not 0 < steps_per_s <= 1000:
        raise SettingsError("--speed and --steps-per-s are numbers above 0, at most 1000000 and 1000")
    switches = _switches([*(switch or []), *(["quantity_triggers=true"] if quantity_triggers else [])])
    if state is not None and virtual:
        raise SettingsError("--state and --virtual don't go together: virtual time begins anew at each start")
    with accounts.held(accounts.writable(state, "--state"), parent):
        simulator = Simulator(
            Setup(
                Config(seed=seed, switches=switches, bounds=Bounds()),
                speed=speed,
                once=once,
                virtual_start_ns=_virtual_start(virtual, virtual_start),
                truth_file=accounts.writable(truth_file, "--truth-file"),
                state_file=state,
            )
        )
        tick, lot = increment("--price-increment", price_increment), increment("--size-increment", size_increment)
        steps = tuple(one for one in (tick, lot) if one is not None)
        products = [simulator.list_product(name, *steps) for name in _product_ids(product or ["BTC-USD"])]
        remembered = simulator.remembers()
        kind = accounts.key_kind(key_kind, "--key-kind")
        funds = accounts.parse_funds(fund, "--fund") if fund else None
        first = accounts.first_account(simulator, funds or accounts.default_funds(products), asked=fund is not None)
        accounts.set_fees(first, fee_maker, fee_taker)
        accounts.give_key(simulator, first, accounts.writable(key_out, "--key-out"), kind, ("view", "trade"))
        for text in account or []:
            accounts.open_account(simulator, text, remembered=remembered)
        files = _files(replay or [], products)
        for listed in products:
            _play(simulator, listed, files.get(listed.product_id, []), seed=seed, depth=depth, steps_per_s=steps_per_s, infer=infer_trades)
        simulator.begin()
        context = server_context(accounts.beside(key_out), host) if tls or tls_port is not None else None
        address = Address(host, port, control_port, context, tls_port, listen_fd)
        run(_serve(Serving(simulator, address), tls=tls and tls_port is None))
    return 0


async def _serve(serving: Serving, *, tls: bool) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with serving:
        scheme, socket_scheme = ("https", "wss") if tls else ("http", "ws")
        typer.echo(f"exchange on {scheme}://{serving.host}:{serving.port} and {socket_scheme}://{serving.host}:{serving.port}")
        if serving.tls_port is not None:
            typer.echo(f"and on https://{serving.host}:{serving.tls_port} and wss://{serving.host}:{serving.tls_port}")
        if serving.control_port is not None:
            typer.echo(f"control on http://{serving.host}:{serving.control_port}")
        failed = loop.create_task(serving.failed())
        stopped = loop.create_task(stop.wait())
        done, waiting = await asyncio.wait((failed, stopped), return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        for task in done:
            task.result()


def _play(simulator: Simulator, product: Product, files: list[Path], *, seed: int, depth: int, steps_per_s: float, infer: bool) -> None:
    if files:
        columns = [read_recording(path, product.product_id) for path in files]
        simulator.play(product, recorded_market(product, columns, seed=seed, depth=depth, infer_trades=infer))
    else:
        last = simulator.exchange.market_of(product).last  # where an earlier run has left it
        start = float(product.grid.price(last)) if last else _PRICES.get(product.base, 100.0)
        market = GeneratedMarket(product, seed, start, depth=depth, steps_per_s=steps_per_s, run=simulator.runs)
        simulator.play(product, market, past_hours=_PAST_HOURS)


def _files(texts: list[str], products: list[Product]) -> dict[str, list[Path]]:
    """Which files each product is played from."""
    files: dict[str, list[Path]] = {}
    names = [product.product_id for product in products]
    for text in texts:
        name, equals, path = text.partition("=")
        if equals and name in names:
            files.setdefault(name, []).append(Path(path))
        elif equals and not Path(text).exists():
            raise SettingsError(f"--replay {text}: {name} is not one of --product {', '.join(names)}")
        else:
            files.setdefault(names[0], []).append(Path(text))
    return files


def _product_ids(texts: list[str]) -> list[str]:
    """What is to be listed, each once: a product in USD brings the same in USDC with it."""
    names = [_product_id(text) for text in texts]
    for at, name in enumerate(names):
        if name in names[:at] or (name.endswith("-USDC") and name.removesuffix("C") in names):
            raise SettingsError(f"--product {name}: is listed already; give each product once, and not in USDC what is listed in USD")
    return names


def _product_id(text: str) -> str:
    base, dash, quote = text.partition("-")
    if not dash or not base.isalnum() or not quote.isalnum() or text != text.upper():
        raise SettingsError(f"--product {text}: write BASE-QUOTE, for example BTC-USD")
    return text


def _virtual_start(virtual: bool, text: str | None) -> int | None:
    if text is None:
        return int(datetime.now().astimezone().timestamp()) * 10**9 if virtual else None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if not virtual or moment is None or moment.tzinfo is None:
        raise SettingsError(f"--virtual-start {text}: needs --virtual, and a time such as 2026-01-01T00:00:00Z")
    return int(moment.timestamp()) * 10**9


def _switches(texts: list[str]) -> Switches:
    """The switches with these set."""
    values: dict[str, str] = {}
    known = [field.name for field in fields(Switches)]
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or name not in known:
            raise SettingsError(f"--switch {text}: write NAME=VALUE; there are: {', '.join(known)}")
        values[name] = value
        try:
            msgspec.convert({name: value}, Switches, strict=False)
        except msgspec.ValidationError as error:
            raise SettingsError(f"--switch {text}: {str(error).partition(' - ')[0]}") from None
    return msgspec.convert(values, Switches, strict=False)
