"""A real Airflow stack beside the emulator, started and stopped from here: for the demo, a look around, and tests."""
