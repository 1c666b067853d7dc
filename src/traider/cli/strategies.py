"""``traider strategies``: the built-in strategies and what they take; of one strategy, an author's too, its parameters."""

import json
import sys
from typing import Annotated

import typer

from traider.kernel.kit import Strategy
from traider.strategies.registry import BUILT_IN, find_strategy
from traider.strategies.schema import parameters_schema


def strategies(
    strategy: Annotated[
        str | None, typer.Argument(help="Built-in name, FILE.py:CLASS or PACKAGE.MODULE:CLASS; else all built-in ones.")
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print the parameters as JSON Schema.")] = False,
) -> int:
    """List strategies with their parameters, ranges and defaults."""
    found = {strategy: find_strategy(strategy)} if strategy is not None else dict(sorted(BUILT_IN.items()))
    if json_:
        schemas = {name: parameters_schema(cls) for name, cls in found.items()}
        sys.stdout.write(json.dumps(schemas[strategy] if strategy is not None else schemas, indent=2) + "\n")
        return 0
    for cls in found.values():
        _tell(cls)
    return 0


def _tell(cls: type[Strategy]) -> None:
    schema = parameters_schema(cls)
    sys.stdout.write(f"{cls.name}: {schema['description']}\n")
    for name, told in schema["properties"].items():
        ends = f"{told.get('minimum', '')}..{told.get('maximum', '')}" if told["type"] != "boolean" else ""
        sys.stdout.write(f"  {name:<16} {told['type']:<8} {told['default']!s:<10} {ends:<18} {told.get('description', '')}".rstrip() + "\n")
