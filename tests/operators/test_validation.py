"""Asking whether a model fits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.tasks import NEW_FEATURE, OTHER_TARGET, UNGOVERNED, V2, V3, Perform, refused

if TYPE_CHECKING:
    from airflow_provider.emulator.door import EmulatorDoor


def validate(task_id: str, **arguments: Any) -> Any:
    from airflow_provider.operators.validation import DataRobotValidateModelReplacementOperator

    return DataRobotValidateModelReplacementOperator(task_id=task_id, **{"deployment_id": UNGOVERNED, **arguments})


def test_what_fits_passes_and_what_does_not_is_told_with_its_checks(service: EmulatorDoor, perform: Perform) -> None:
    done = perform(
        lambda: [
            validate("fits", model_package_id=V3, model_id="{{ none }}"),
            validate("fits_by_model", model_id="64a100000000000000000003"),
            validate("warning", model_package_id=NEW_FEATURE),
            validate("no_warning", model_package_id=NEW_FEATURE, on_warning="fail"),
            validate("misfit", model_package_id=OTHER_TARGET),
            validate("misfit_allowed", model_package_id=OTHER_TARGET, on_failing="allow"),
            validate("champion", model_package_id=V2),
            validate("absent", model_package_id="f" * 24),
        ]
    )
    fits = done["fits"].result
    assert set(fits) == {"status", "message", "checks", "champion"}
    assert fits["status"] == done["fits_by_model"].result["status"] == "passing"
    assert fits["champion"]["model_package_id"] == V2
    assert done["warning"].result["status"] == "warning"
    assert done["no_warning"].error.startswith(
        f"ReplacementRefused: validateDeploymentModelReplacement: model package {NEW_FEATURE} does not fit, "
        "validation is warning"
    )
    assert "target" in done["misfit"].error
    assert done["misfit_allowed"].result["status"] == "failing"
    assert "notCurrentModel" in done["champion"].error
    assert done["absent"].state == "failed"
    assert done.xcom("misfit", "_link_DataRobotLink").endswith(f"/deployments/{UNGOVERNED}/overview")
    assert service.effects() == []


def test_bad_arguments_are_told_before_anything_is_sent(service: EmulatorDoor) -> None:
    bad: list[tuple[dict[str, Any], str]] = [
        ({}, "give exactly one of model_package_id and model_id, not neither"),
        ({"model_package_id": V3, "model_id": "x"}, "give exactly one of model_package_id and model_id, not both"),
        ({"model_package_id": "a b"}, "model_package_id must be an id, a string without blanks and slashes, not 'a b'"),
        ({"model_package_id": V3, "deployment_id": ""}, "deployment_id must be an id"),
        ({"model_package_id": V3, "on_failing": "skip"}, "on_failing must be one of fail, allow, not 'skip'"),
        ({"model_package_id": V3, "on_warning": ""}, "on_warning must be one of fail, allow, not ''"),
    ]
    refused(service, validate, {}, bad)
