"""PostgreSQL and Redis as Debian packages bring them: private folders, loopback only, gone with the ``with`` block."""
