"""What goes wrong between an application, its user, and who grants the access."""

from traider.domain.venue import VenueError


class OAuthError(VenueError):
    """The access was not granted, or is not there any more: the user has to grant it again."""


class OAuthUnavailableError(VenueError):
    """Who grants the access could not be asked: it can be tried again."""
