"""The wheel, built from this checkout and unpacked beside it: what a user gets, not what lies in the checkout."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from demo.processes import Unwell

ROOT = Path(__file__).parents[1]
# Where the wheel holds the example DAGs (Airflow 3.3 looks there).
EXAMPLES = "airflow_provider_datarobot_mlops/example_dags"


def build_wheel(folder: Path) -> Path:
    """Build the wheel into an empty ``folder`` with the pinned build tool of this environment; its path."""
    shutil.rmtree(folder, ignore_errors=True)
    _run("-m", "hatchling", "build", "-t", "wheel", "-d", str(folder))
    (wheel,) = folder.glob("*.whl")
    return wheel


def install_wheel(folder: Path) -> Path:
    """Build the wheel and install it into ``folder``/site, without its dependencies; that path.

    First on ``PYTHONPATH`` it goes before the editable checkout, so the environment need not be changed for it.
    """
    wheel = build_wheel(folder / "wheel")
    site = folder / "site"
    shutil.rmtree(site, ignore_errors=True)
    pip = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-index")
    _run(*pip, "--target", str(site), str(wheel))
    return site


def _run(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Unwell(f"python {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
