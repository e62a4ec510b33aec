"""What Airflow is told to mask, beyond the password of the connection."""

from __future__ import annotations

import json

import pytest


@pytest.mark.parametrize("way", ["sync", "async"])
async def test_credentials_of_the_way_are_masked_too(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.providers.common.compat.sdk import redact

    from airflow_provider.hooks.datarobot import DataRobotHook

    extra = {
        "proxy": f"http://me:pw%3Aof%20{way}@127.0.0.1:9",
        "extra_headers": {"X-Gateway": f"k3y-of-{way}", "X-Forwarded-Proto": "https"},
    }
    given = {"conn_type": "datarobot", "host": "http://127.0.0.1:9", "password": f"token-of-{way}", "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_MASKED", json.dumps(given))
    hook = DataRobotHook("masked")
    settings = hook.settings() if way == "sync" else await hook.asettings()
    secrets = [f"token-of-{way}", f"k3y-of-{way}", f"pw:of {way}", f"pw%3Aof%20{way}"]
    assert set(secrets) < set(settings.secrets)
    assert [one for one in secrets if one in str(redact(f"-{one}-"))] == []
    assert str(redact("https://example.com")) == "https://example.com"
