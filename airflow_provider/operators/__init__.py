"""Floor 6: the operators, one file an area."""
