"""Floor 3: an Airflow connection becomes api settings and a client."""
