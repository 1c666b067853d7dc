"""What is raised when something from the venue can't be read as what it should be."""

from traider.domain.venue import VenueError


class MalformedError(VenueError):
    """A reply or a message that lacks what has to be there, or holds what can't be. It proves nothing about an order."""
