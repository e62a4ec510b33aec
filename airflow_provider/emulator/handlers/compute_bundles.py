"""Bundles of computing resources (public preview)."""

from __future__ import annotations

from airflow_provider.emulator.answers import Answer, refuse
from airflow_provider.emulator.calls import Call, serves


@serves("listComputeBundles")
def list_bundles(call: Call) -> Answer:
    """All of them, or those for some uses."""
    wanted = call.arguments.get("useCases")
    rows = call.service.listed(call.service.store.rows("computeBundles"))
    uses = [wanted] if isinstance(wanted, str) else wanted or []
    return call.page([one for one in rows if not uses or any(use in one["useCases"] for use in uses)])


@serves("getComputeBundle")
def get_bundle(call: Call) -> Answer:
    """One of them."""
    key = call.arguments["resourceRequestBundleId"]
    bundle = call.service.store.get("computeBundles", key)
    if bundle is None:
        raise refuse(404, f"Resource bundle {key} not found.")
    return Answer(200, bundle)
