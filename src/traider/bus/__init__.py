"""Where processes and tasks meet: topics and payloads are those of ``traider.domain.bus_events``."""
