"""The dashboard is built from the API's own description. (That its types follow from it is checked by ``npm run types:check``.)"""

import json

from tests.browser.running import ROOT
from traider.api.openapi import document


def test_the_dashboard_has_the_description_of_the_api_as_it_is() -> None:
    kept = json.loads((ROOT / "ui" / "openapi.json").read_text(encoding="utf-8"))
    assert kept == json.loads(document()), (
        "the API changed: run `.venv/bin/python -m traider.api.openapi > ui/openapi.json` and `scripts/npm run types`"
    )
