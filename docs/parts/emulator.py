"""What the emulator assumes, which lies it can tell, and what it does not do: the text of ``--assumed``."""

from __future__ import annotations

import io
from contextlib import redirect_stdout

from airflow_provider.emulator.__main__ import main


def text() -> str:
    """The command's own output."""
    out = io.StringIO()
    with redirect_stdout(out):
        main(["--assumed"])
    return f"```text\n{out.getvalue().strip()}\n```"
