"""What a process needs around its work: settings, secrets, logging, metrics, supervision, the authenticated link."""
