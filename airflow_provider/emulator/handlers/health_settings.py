"""When a deployment counts as healthy: its settings, and the defaults."""

from __future__ import annotations

from airflow_provider.emulator.answers import Answer, empty
from airflow_provider.emulator.behaviour import health
from airflow_provider.emulator.behaviour.matching import target_of, watched
from airflow_provider.emulator.behaviour.rights import owned
from airflow_provider.emulator.calls import Call, serves


@serves("getDeploymentHealthSettings")
def get_health_settings(call: Call) -> Answer:
    """All areas (seed 002:3409)."""
    return Answer(200, health.settings_of(call.service, watched(call)))


@serves("getDeploymentHealthSettingsDefaults", how="shaped")
def get_health_settings_defaults(call: Call) -> Answer:
    """What holds where nothing was written; the metric is one of the target's type (seed 002:3589)."""
    return Answer(200, health.defaults(target_of(call.service, watched(call))))


@serves("updateDeploymentHealthSettings")
def update_health_settings(call: Call) -> Answer:
    """200, with the settings as a real client reads them, or as on the page without (seed 002:3580).

    From now on the statuses follow.
    """
    deployment = owned(call.service, call.user, call.arguments["deploymentId"])
    health.put(call.service, deployment, call.body or {})
    if call.service.switches["health_patch_answer"] == "empty":
        return empty(200)
    return Answer(200, health.settings_of(call.service, deployment))
