"""The cases, an area a module."""
