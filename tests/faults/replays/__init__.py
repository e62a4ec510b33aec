"""Fault schedules once more in real Airflow: the verdicts must be those of the harness (see ``lane.py``)."""
