"""A strategy's parameters as JSON Schema (draft 2020-12), for forms, checks by other programs, and documentation."""

import math
from typing import Any

from traider.kernel.kit import Parameter, Strategy

_TYPES = {bool: "boolean", int: "integer", float: "number"}


def parameters_schema(strategy: type[Strategy]) -> dict[str, Any]:
    """An object with one property a parameter: type, range with both ends included, default and help."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": strategy.name,
        "description": (strategy.__doc__ or "").strip().partition("\n")[0],
        "type": "object",
        "properties": {name: _property(parameter) for name, parameter in strategy.parameters.items()},
        "additionalProperties": False,
    }


def _property(parameter: Parameter) -> dict[str, Any]:
    told: dict[str, Any] = {"type": _TYPES[parameter.type], "default": parameter.default}
    if parameter.type is not bool:
        told |= {word: end for word, end in (("minimum", parameter.low), ("maximum", parameter.high)) if math.isfinite(end)}
    if parameter.help:
        told["description"] = parameter.help
    return told
