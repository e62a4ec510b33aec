"""Processes that die at the worst moment, in real Airflow on PostgreSQL: ``make test-deaths``."""
