"""Several machines' worth of Airflow: CeleryExecutor on PostgreSQL and Redis, and everything of which there may be more
than one twice. ``make test-distributed`` runs it and keeps what it measures for docs/scale.md.
"""
