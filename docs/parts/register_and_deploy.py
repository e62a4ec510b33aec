"""The example DAG, as it stands between its marks."""

from __future__ import annotations

from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "example_dags" / "register_and_deploy.py"


def text() -> str:
    """The code between START and END."""
    code = EXAMPLE.read_text(encoding="utf-8").split("# [START register_and_deploy]\n")[1].split("# [END")[0]
    return f"```python\n{code.strip()}\n```"
