"""A PostgreSQL of our own."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from demo.processes import Child, free_port, stop, until
from demo.stack import clean_environment
from tests.servers.programs import as_user, private_folder, program

USER = "postgres"
PACKAGE = "postgresql"
# Airflow's connections; durability is of no use to a database that lives as long as a test.
SETTINGS = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "max_connections": "400", "fsync": "off"}


@contextmanager
def postgres(logs: Path) -> Iterator[str]:
    """Starts one with an empty database, and gives its address for SQLAlchemy, with the driver that Airflow uses.

    :param logs: existing folder for its log.
    """
    with private_folder(USER) as folder:
        data, port = folder / "data", free_port()
        made = [program("initdb", PACKAGE), "-D", str(data), "-U", "airflow", "-A", "trust", "-E", "UTF8", "-N"]
        subprocess.run([*as_user(USER), *made], check=True, capture_output=True, cwd=folder)
        options = [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]
        command = [*as_user(USER), program("postgres", PACKAGE), "-D", str(data), "-p", str(port), *options]
        server = Child("postgres", command, clean_environment({}), logs / "postgres.log")
        ready = [program("pg_isready", PACKAGE), "-h", "127.0.0.1", "-p", str(port)]
        try:
            until(lambda: subprocess.run(ready, capture_output=True, check=False).returncode == 0, "PostgreSQL", 60)
            yield f"postgresql+psycopg2://airflow@127.0.0.1:{port}/postgres"
        finally:
            # Its smart shutdown, on SIGTERM, waits for clients; these are dead or dying.
            stop([server], patience=2)
