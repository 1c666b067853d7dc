"""Prints the API's description, from which the dashboard's types are generated: ``python -m traider.api.openapi > ui/openapi.json``."""

import json
import sys

from .app import bare_app


def document() -> str:
    """The OpenAPI document as JSON, the same for the same code."""
    return json.dumps(bare_app().openapi(), indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    sys.stdout.write(document())
