"""What can be imported, and what that costs."""

from __future__ import annotations

import subprocess
import sys

import pytest

import airflow_provider
from airflow_provider import api

HEAVY = ("httpx", "pydantic", "tenacity", "airflow", "airflow_provider.api.client", "airflow_provider.contract")


def test_every_public_name_exists_and_is_listed() -> None:
    assert dir(api) == sorted(api.__all__)
    for name in api.__all__:
        assert getattr(api, name) is not None


def test_every_error_is_public() -> None:
    from airflow_provider.api import errors

    classes = {name for name, one in vars(errors).items() if isinstance(one, type) and issubclass(one, Exception)}
    assert classes <= set(api.__all__)


def test_another_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"'airflow_provider.api' has no attribute 'Nothing'"):
        api.Nothing  # noqa: B018


@pytest.mark.parametrize("module", ["airflow_provider", "airflow_provider.api"])
def test_importing_loads_nothing_heavy(module: str) -> None:
    program = f"import sys, {module}; print(*[name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_the_version_is_a_version() -> None:
    assert airflow_provider.__version__.count(".") == 2
