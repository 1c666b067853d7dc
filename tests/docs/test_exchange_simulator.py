"""The simulator's page names every switch, fault, trigger, call and option that there is."""

from dataclasses import fields
from inspect import signature

import pytest

from tests.docs.markdown import ROOT
from traider.cli.exchange_sim import exchange_sim
from traider.connectors.sim.exchange.acts import ACTS, REQUEST_ACTS
from traider.connectors.sim.exchange.settings import Switches
from traider.connectors.sim.exchange.triggers import TRIGGERS

PAGE = (ROOT / "docs" / "exchange-simulator.md").read_text(encoding="utf-8")
FAULTS = [(name, signature.args) for name, signature in (REQUEST_ACTS | {name: act.signature for name, act in ACTS.items()}).items()]
HIDDEN = {"listen_fd", "parent"}  # for the command that looks after the process
OPTIONS = [f"--{name.replace('_', '-')}" for name in signature(exchange_sim).parameters if name not in HIDDEN]


@pytest.mark.parametrize("name", [field.name for field in fields(Switches)])
def test_switches(name: str) -> None:
    assert f"`{name}`" in PAGE


@pytest.mark.parametrize(
    ("name", "args"), [*((n, s.args) for n, s in REQUEST_ACTS.items()), *((n, a.signature.args) for n, a in ACTS.items())]
)
def test_faults_and_what_they_take(name: str, args: dict[str, object]) -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("|") and f"`{name}`" in _head(line)]
    assert len(rows) == 1
    shared = {"account", "channel", "order", "client_order_id", "key"}  # named once, at the head of their table
    flags = {"is_disabled", "cancel_only", "limit_only", "post_only", "trading_disabled", "auction_mode", "view_only"}
    assert all(f"`{arg}`" in rows[0] for arg in args.keys() - shared - flags)


def _head(row: str) -> str:
    """The first word of a row, or several where it tells of several faults at once."""
    cell = row.split("|")[1].strip()
    return cell if "`, `ws." in cell or "`, `clock." in cell else cell.split(" ")[0]


@pytest.mark.parametrize("digits", TRIGGERS)
def test_triggers(digits: str) -> None:
    assert f"| `{digits}` | {TRIGGERS[digits][0]} |" in PAGE


@pytest.mark.parametrize("option", OPTIONS)
def test_options(option: str) -> None:
    assert option in PAGE
