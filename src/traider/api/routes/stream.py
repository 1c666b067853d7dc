"""The live stream of Server-Sent Events."""

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from traider.api.access import Authenticated
from traider.api.deps import ApiDep
from traider.api.errors import answers
from traider.api.schemas import StreamEvents

router = APIRouter(prefix="/api/streams", tags=["stream"])


class EventStream(StreamingResponse):
    media_type = "text/event-stream"


@router.get(
    "/sse", response_class=EventStream, responses={200: {"model": StreamEvents, "description": "by event name"}, **answers(401, 503)}
)
async def sse(user: Authenticated, api: ApiDep) -> EventStream:
    """Events named market, order, fill, account, risk and system. The newest market, account, risk and system come first.

    Market is sent at most five times a second. A comment comes every ten seconds when there is nothing else to say. A client that
    reads too slowly to keep up with orders and fills is disconnected: it then connects again and reads the lists anew.
    """
    return EventStream(api.hub.stream(user), headers={"X-Accel-Buffering": "no"})
