"""Floor 4: the one trigger and its event."""
