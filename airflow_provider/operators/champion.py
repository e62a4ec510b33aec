"""The champion of a deployment: note it before a promotion, and bring it back afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow_provider.api.errors import Conflict, DataRobotError, Forbidden, InvalidCall, Unprocessable
from airflow_provider.api.waits import EntityWait, JobWait
from airflow_provider.mlops.replacement import champion_of, is_being_replaced
from airflow_provider.operators.deployment_status import ON_THE_WAY
from airflow_provider.operators.replacement import DataRobotReplaceModelOperator
from airflow_provider.tasks import arguments
from airflow_provider.tasks.base import Step
from airflow_provider.tasks.gate import CONFLICT, DECISION
from airflow_provider.tasks.links import deployment_url
from airflow_provider.tasks.outcomes import end_as
from airflow_provider.tasks.reading import DataRobotBaseReadOperator
from airflow_provider.tasks.replacing import BUSY
from airflow_provider.tasks.run import Await, Run

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider.api.client import Client

KEY = "datarobot_champion_before"  # in the task state store
DEACTIVATE, ACTIVATE, END = "deactivate", "activate", "end"  # stages of the way back, beside those of a replacement
TOLD = 2000  # characters of a failed check that are told to the reviewers


class AnotherChampion(DataRobotError):
    """The deployment serves neither the model that shall go nor the one that shall come back."""


class DataRobotRememberChampionOperator(DataRobotBaseReadOperator):
    """Notes what serves a deployment before a model is promoted: the service keeps no history that can be read.

    :param deployment_id: the deployment.
    :param model_package_id: the model package that will be promoted.
    :param watch: seconds or a timedelta for which the promoted model will be watched. Only checked: what is wrong with
        it is better told now than after the promotion.

    Returns ``champion`` (model_package_id, model_id, name, deployed_at; None when it is the promoted model already and
    nothing else is remembered), ``deployment_id``, ``label``, ``importance`` and ``status``. Put it upstream of the
    replacement. From Airflow 3.3 on, a task that is cleared after the promotion still gives the champion of before;
    earlier lines forget it with the XCom. Fails with the errors of the service. Operation: getDeployment.
    """

    template_fields = (*DataRobotBaseReadOperator.template_fields, "deployment_id", "model_package_id", "watch")
    _store: Any = None

    def __init__(
        self,
        *,
        deployment_id: str,
        model_package_id: str,
        watch: float | timedelta | str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.deployment_id = deployment_id
        self.model_package_id = model_package_id
        self.watch = watch

    def introduce(self, context: Context) -> None:
        """Notes where the task remembers since when it watches."""
        super().introduce(context)
        self._store = context.get("task_state_store")  # Airflow 3.3 and later

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        self.deployment_id = arguments.identifier("deployment_id", self.deployment_id)
        self.model_package_id = arguments.identifier("model_package_id", self.model_package_id)
        self.watch = arguments.seconds("watch", self.watch)

    def link(self, web_url: str) -> str | None:
        """The deployment's page."""
        return deployment_url(web_url, self.deployment_id)

    def read(self, client: Client) -> dict[str, Any]:
        """What serves now, or what was noted when that was still another model than the promoted one."""
        deployment = client.call("getDeployment", deploymentId=self.deployment_id).object()
        champion: dict[str, Any] | None = champion_of(deployment)
        if champion is not None and champion["model_package_id"] == self.model_package_id:
            champion = self._noted()
            self.log.info("The model is the champion already; before it there was %s.", champion or "one not known")
        elif self._store is not None:
            self._store.set(KEY, {**self._about(), "champion": champion})
        told = {key: deployment.get(key) for key in ("label", "importance", "status")}
        return {"deployment_id": self.deployment_id, "champion": champion, **told}

    def _noted(self) -> dict[str, Any] | None:
        noted = self._store.get(KEY) if self._store is not None else None
        if not isinstance(noted, Mapping) or any(noted.get(key) != value for key, value in self._about().items()):
            return None
        return noted.get("champion")

    def _about(self) -> dict[str, str]:
        return {"deployment_id": self.deployment_id, "model_package_id": self.model_package_id}


class DataRobotRollBackModelOperator(DataRobotReplaceModelOperator):
    """Makes the previous champion of a deployment the champion again, through the same gate as any replacement.

    The previous champion serves again: a success without a write. Another model than the two serves: somebody has done
    something else meanwhile, and the task fails with AnotherChampion and leaves it alone.

    :param deployment_id: the deployment.
    :param previous: what shall come back: a mapping with ``model_package_id`` or ``model_id``, as
        DataRobotRememberChampionOperator returns it in ``champion``, or its JSON text.
    :param instead_of: the model package that shall go. None: whatever serves.
    :param failed_check: what was wrong, for the reviewers; the first 2,000 characters of it.
    :param deactivate_meanwhile: take the deployment out of service while people decide. It is activated before the
        replacement, because the model of an inactive deployment may not be replaced, and stays inactive when people
        decide against it. Where no approval is needed nothing is deactivated; where the service refuses to deactivate,
        the way back goes on.
    :param on_not_needed: ``succeed`` or ``skip`` when the previous champion serves.
    :param reason: default ERRORS.
    :param on_warning: default ``allow``: the model served before.

    The other arguments, what is returned, the errors and the memory are those of DataRobotReplaceModelOperator.
    Operations: the same, and updateDeploymentStatus.
    """

    template_fields = (
        *DataRobotReplaceModelOperator.template_fields,
        "previous",
        "instead_of",
        "failed_check",
        "deactivate_meanwhile",
        "on_not_needed",
    )

    def __init__(
        self,
        *,
        previous: Mapping[str, Any] | str,
        instead_of: str | None = None,
        failed_check: str = "",
        deactivate_meanwhile: bool | str = False,
        on_not_needed: str = "succeed",
        reason: str = "ERRORS",
        on_warning: str = "allow",
        **kwargs: Any,
    ) -> None:
        super().__init__(reason=reason, on_warning=on_warning, **kwargs)
        self.previous = previous
        self.instead_of = instead_of
        self.failed_check = failed_check
        self.deactivate_meanwhile = deactivate_meanwhile
        self.on_not_needed = on_not_needed

    def message(self) -> str:
        """What is wrong with the model that shall go, before the author's own comment."""
        check = "" if arguments.absent(self.failed_check) else str(self.failed_check).strip()
        what = "" if arguments.absent(self.instead_of) else f" instead of model package {self.instead_of}"
        told = f"Back to the previous champion{what}: {check[:TOLD] or 'its check did not come to an end'}."
        return "\n\n".join(part for part in (told, str(self.comment or "").strip()) if part)

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        previous = arguments.mapping("previous", self.previous) or {}
        self.model_package_id = arguments.optional_identifier("previous", previous.get("model_package_id"))
        self.model_id = None
        if self.model_package_id is None:
            self.model_id = arguments.optional_identifier("previous", previous.get("model_id"))
        if self.model_package_id is None and self.model_id is None:
            raise InvalidCall("previous must have model_package_id or model_id; the champion of before is not known")
        self.instead_of = arguments.optional_identifier("instead_of", self.instead_of)
        if self.instead_of is not None and self.instead_of == self.model_package_id:
            raise InvalidCall(f"previous and instead_of are the same model package: {self.instead_of}")
        self.on_not_needed = arguments.one_of("on_not_needed", self.on_not_needed, ("succeed", "skip"))
        self.deactivate_meanwhile = arguments.flag("deactivate_meanwhile", self.deactivate_meanwhile)
        if self.deactivate_meanwhile and arguments.flag("auto_apply", self.auto_apply):
            raise InvalidCall("auto_apply would replace the model while deactivate_meanwhile keeps it inactive")
        super().prepare()

    # --- what the life cycle asks -----------------------------------------------------------------------------

    def start(self, run: Run) -> Step:
        """Replaces back; takes the deployment out of service where people have to decide first."""
        deployment = self._steps.serving.look(run)
        if self._steps.serving.is_right(deployment) and run.unsettled is None and self.on_not_needed == "skip":
            end_as("skip", f"{self._target} serves deployment {self.deployment_id}: nothing is to be taken back")
        self._refuse_another(deployment)
        step = super().start(run)
        people_decide = run.handle is not None and run.handle.stage in (DECISION, CONFLICT)
        if isinstance(step, Await) and people_decide and self.deactivate_meanwhile and not run.plan_only:
            return self._taken_out(run) or step
        return self._in_service(run, step)

    def proceed(self, run: Run, result: dict[str, Any]) -> Step:
        """After a wait; a deployment that was taken out of service is active before it is written to."""
        assert run.handle is not None, "something was waited for"
        stage = run.handle.stage
        if stage == END:
            return run.handle.before
        if stage in (DEACTIVATE, ACTIVATE):
            return super().start(run)  # takes up the request again
        if stage == DECISION and result.get("outcome") == "approved" and self._is_out(run):
            return self._set_status(run, "active", ACTIVATE)
        if stage in (BUSY, CONFLICT):
            self._refuse_another(self._steps.serving.look(run))
        return self._in_service(run, super().proceed(run, result))

    def failed(self, run: Run, reason: str, result: dict[str, Any]) -> Step:
        """A deployment that could not be taken out of service serves on while people decide."""
        if run.handle is not None and run.handle.stage == DEACTIVATE:
            self.log.warning("The deployment could not be deactivated: %s", reason)
            return super().start(run)
        return self._in_service(run, super().failed(run, reason, result))

    def timed_out(self, run: Run, note: str | None) -> Step:
        """The deadline passed: one look at the champion comes first."""
        return self._in_service(run, super().timed_out(run, note))

    # --- in and out of service --------------------------------------------------------------------------------

    def _refuse_another(self, deployment: Mapping[str, Any]) -> None:
        champion = champion_of(deployment)
        expected = self.instead_of is None or champion["model_package_id"] == self.instead_of
        if not expected and not self._target.serves(champion) and not is_being_replaced(deployment):
            raise AnotherChampion(
                f"deployment {self.deployment_id} serves model package {champion['model_package_id']}, neither "
                f"{self.instead_of}, which should go, nor {self._target}, which should come back: it is left alone"
            )

    def _taken_out(self, run: Run) -> Await | None:
        """Deactivates; None where it is not active, or the service refuses."""
        if self._status(run) != "active":
            return None
        try:
            return self._set_status(run, "inactive", DEACTIVATE)
        except (Forbidden, Conflict, Unprocessable) as error:
            self.log.warning("The service refuses to deactivate the deployment: %s", error)
            return None

    def _in_service(self, run: Run, step: Step) -> Step:
        """The result, as soon as a deployment that was taken out of service is active again."""
        if isinstance(step, dict) and self._is_out(run):
            return self._set_status(run, "active", END, before=step)
        return step

    def _is_out(self, run: Run) -> bool:
        return bool(self.deactivate_meanwhile) and not run.plan_only and self._status(run) in ("inactive", "stopping")

    def _set_status(self, run: Run, wanted: str, stage: str, before: dict[str, Any] | None = None) -> Await:
        sent = run.submit(
            "updateDeploymentStatus",
            {"status": wanted},
            stage=stage,
            look=lambda: self._status(run) in (wanted, ON_THE_WAY[wanted]) or None,
            before=before,
            deploymentId=self.deployment_id,
        )
        path = run.path_of(sent.answer) if sent.answer is not None else None
        wait = JobWait(path) if path else EntityWait(f"deployments/{self.deployment_id}/", "deployment", want=[wanted])
        return Await(wait, f"the deployment becomes {wanted}", limit=self._steps.apply_seconds)

    def _status(self, run: Run) -> str:
        return str(self._steps.serving.look(run).get("status"))
