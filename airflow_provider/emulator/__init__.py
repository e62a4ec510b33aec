"""The service, imitated: ``python -m airflow_provider.emulator`` starts it. Importing this package loads nothing."""
