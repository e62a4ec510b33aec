"""One file for each generated part of the documentation."""
