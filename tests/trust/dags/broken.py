"""A DAG file that breaks where it reads an endpoint with a password in it, and a token that is none."""

import os

from airflow_provider.api.settings import Settings

Settings.from_env(endpoint=os.environ["BROKEN_ENDPOINT"])
