"""Floor 6: the sensors, one file an area."""
