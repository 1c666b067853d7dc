"""The engines that traider is measured beside, each in an environment of its own: run as they are, never copied from."""
