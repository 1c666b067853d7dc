"""The guard on paper against the list that every venue has to pass."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.connectors.venue_conformance import Stage, VenueConformance
from tests.services.paper_venue import PaperStage


class TestPaper(VenueConformance):
    @pytest.fixture
    async def stage(self, tmp_path: Path) -> AsyncIterator[Stage]:
        stage = PaperStage(tmp_path)
        await stage.venue.start()
        yield stage
        await stage.venue.stop()
