"""Promoting a model: from its validation to the record of what became of it, and back when it does not do well.

before ──► validate ──► (challenger ──► replay ──► compare) ──► (request ──► approve) ──► apply ──► watch ──┐
                                                                                 (record)                  │
                                                                promoted ◄── roll_back ◄── failed ─────────┘
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import TaskGroup

from airflow_provider.operators.challenger_replays import DataRobotReplayChallengersOperator
from airflow_provider.operators.challengers import DataRobotCreateChallengerOperator
from airflow_provider.operators.champion import DataRobotRememberChampionOperator, DataRobotRollBackModelOperator
from airflow_provider.operators.compare_challengers import DataRobotCompareChallengersOperator
from airflow_provider.operators.promotion_record import DataRobotRecordPromotionOperator
from airflow_provider.operators.replacement import DataRobotReplaceModelOperator
from airflow_provider.operators.replacement_request import DataRobotRequestModelReplacementOperator
from airflow_provider.operators.validation import DataRobotValidateModelReplacementOperator
from airflow_provider.operators.watch import FAILED_CHECK, DataRobotWatchDeploymentOperator
from airflow_provider.sensors.change_request import DataRobotChangeRequestSensor
from airflow_provider.task_groups.checking import checked

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import BaseOperator


def promote_model(
    group_id: str = "promote_model",
    *,
    deployment_id: str,
    model_package_id: str,
    reason: str = "OTHER",
    on_warning: str = "fail",
    validate: bool = True,
    challenger: Mapping[str, Any] | None = None,
    approval_steps: bool = False,
    watch: float | timedelta | str | None = timedelta(minutes=10),
    roll_back: bool = True,
    deactivate_meanwhile: bool | str = False,
    on_rolled_back: str = "fail",
    record: bool | str = False,
    step_arguments: Mapping[str, Mapping[str, Any]] | None = None,
    **group_arguments: Any,
) -> TaskGroup:
    """A task group that makes a model the champion, watches it, and brings the old one back when it does not do well.

    The steps, each an ordinary operator, and what leaves it out:

    ========== ====================================================================== ==========================
    before     notes the champion of today, for the way back                          always there
    validate   refuses an unfit model before anybody is asked                         ``validate=False``
    challenger makes the model a challenger                                           without ``challenger``
    replay     lets it predict what the champion has predicted                        without ``challenger``
    compare    goes on only when its numbers are better                               without ``challenger``
    request    opens a change request, or takes up ours                               without ``approval_steps``
    approve    waits for the people                                                   without ``approval_steps``
    apply      replaces the champion, through people where a policy applies; verifies always there
    watch      the post-check: champion, status and service health stay well          ``watch=None``
    roll_back  brings the champion of before back, through the same gate              ``roll_back=False``
    promoted   succeeds when the model was promoted and serves                        always there
    record     tells who did what with which checks, however it ended                 without ``record``
    ========== ====================================================================== ==========================

    Why ``apply`` is one task: whether an approval is needed is known only there, and between request, approval, the
    second validation, replacement and verification nothing may be lost. A policy that appears, a request that somebody
    edits, resolves or cancels, a direct write that the service turns into a request: it goes on from each of them, and
    a cleared task looks before it writes. Where people are always asked, ``approval_steps`` shows request and approval
    as tasks of their own; ``apply`` then takes up the approved request.

    :param group_id: the group's name, and the first part of its task ids.
    :param deployment_id: the deployment.
    :param model_package_id: the model package (registered model version) that shall serve.
    :param reason: ACCURACY, DATA_DRIFT, ERRORS, SCHEDULED_REFRESH, SCORING_SPEED, OTHER; DEPRECATION only through a
        change request.
    :param on_warning: ``fail`` or ``allow`` a model whose validation says ``warning``.
    :param challenger: arguments of the comparison, at least ``metric``: ``{"metric": "AUC", "threshold": 1, "on_fail":
        "skip"}`` goes on when the model is better than the champion by more than one percent.
    :param watch: seconds or a timedelta to watch the new champion for; 0 is one look.
    :param roll_back: bring the champion of before back when ``apply`` or ``watch`` fails and the model is the champion.
        Whoever marks ``watch`` as failed rolls back by hand.
    :param deactivate_meanwhile: take the deployment out of service while people decide about the way back.
    :param on_rolled_back: ``fail``: the run fails, and what is behind the group does not run. ``succeed``: it goes on.
    :param record: True for a record in XCom, or the path or URL of a JSON file for it (templated).
    :param step_arguments: more arguments for single steps, by name of the step: ``{"watch": {"unhealthy": "failing,
        warning"}, "apply": {"on_conflict": "cancel_own"}}``.
    :param group_arguments: arguments of Airflow's TaskGroup; ``default_args`` holds for all steps
        (``datarobot_conn_id``, ``deferrable``, ``retries``).

    Every argument that is no choice of steps may be a template, or a value of a mapped task group. What is wrong in
    plain text raises InvalidCall while the DAG is parsed; a template is checked before anything is sent.

    How it ends: a skip (people said no, and ``on_cancelled`` says ``skip``) skips all that follows, and the run is a
    success. A failure fails the run, also after a way back that went well. A step that is cleared takes up what is
    under way, and what is behind it runs again.
    """
    more = checked(locals())
    with TaskGroup(group_id, **{"tooltip": "Promote a model", **group_arguments}) as group:
        build = _Steps(deployment_id, model_package_id, more)
        build.before(validate, on_warning, challenger, watch)
        build.forth(reason, on_warning, approval_steps, watch)
        build.ending(watch is not None, roll_back, deactivate_meanwhile, on_rolled_back)
        build.recorded(record)
    return group


class _Steps:
    """The tasks of one group, each behind the last."""

    def __init__(self, deployment_id: str, model_package_id: str, more: Mapping[str, Mapping[str, Any]]) -> None:
        self._model = {"deployment_id": deployment_id, "model_package_id": model_package_id}
        self._more = more
        self._made: dict[str, BaseOperator] = {}

    def before(self, validate: bool, on_warning: str, challenger: Mapping[str, Any] | None, watch: Any) -> None:
        """What has to go well before anybody is asked."""
        self._next("before", DataRobotRememberChampionOperator, {**self._model, "watch": watch})
        if validate:
            again = {"on_warning": on_warning, "on_champion": "allow"}
            self._next("validate", DataRobotValidateModelReplacementOperator, {**self._model, **again})
        if challenger is None:
            return
        deployment = {"deployment_id": self._model["deployment_id"]}
        self._next("challenger", DataRobotCreateChallengerOperator, self._model)
        # A replay that runs already may have begun before the challenger was there.
        self._next("replay", DataRobotReplayChallengersOperator, {**deployment, "if_running": "wait"})
        ours = {"challenger_ids": self._left("challenger", "challenger_id")}
        self._next("compare", DataRobotCompareChallengersOperator, {**deployment, **ours, **challenger})

    def forth(self, reason: str, on_warning: str, approval_steps: bool, watch: Any) -> None:
        """The replacement, with people before it and a watch behind it."""
        apply = {**self._model, "reason": reason, "on_warning": on_warning}
        if approval_steps:
            self._next("request", DataRobotRequestModelReplacementOperator, {**self._model, "reason": reason})
            asked = {name: self._left("request", name) for name in ("change_request_id", "version")}
            self._next("approve", DataRobotChangeRequestSensor, asked)
            apply["governance"] = "always"
        self._next("apply", DataRobotReplaceModelOperator, apply)
        if watch is not None:
            self._next("watch", DataRobotWatchDeploymentOperator, {**self._model, "watch": watch})

    def ending(self, watched: bool, roll_back: bool, deactivate_meanwhile: bool | str, on_rolled_back: str) -> None:
        """The way back, and the one task that says how it ended for what is behind the group."""
        last = self._made["watch" if watched else "apply"]
        ways = [last]
        if roll_back:
            arguments = {
                "deployment_id": self._model["deployment_id"],
                "previous": self._previous(),
                "instead_of": self._model["model_package_id"],
                "failed_check": self._failed_check() if watched else "it could not be verified",
                "deactivate_meanwhile": deactivate_meanwhile,
                "on_not_needed": f"{{{{ 'succeed' if {self._pulled('apply')} else 'skip' }}}}",
                "trigger_rule": "one_failed",
            }
            ways.append(self._add("roll_back", DataRobotRollBackModelOperator, arguments))
            last >> ways[-1]
        # Skipped with the last step when nothing was promoted, and not with a way back that was not needed.
        rule = "one_success" if on_rolled_back == "succeed" else "none_failed_min_one_success"
        ways >> self._add("promoted", EmptyOperator, {"trigger_rule": rule})

    def recorded(self, record: bool | str) -> None:
        """What was done, however it ended."""
        if record is False:
            return
        steps = {name: task.task_id for name, task in self._made.items() if name != "promoted"}
        given = {**self._model, "steps": steps, "record_to": record if record is not True else None}
        # Beside ``promoted``, not behind it: the last tasks of a run say how it ended.
        ends = [task for name, task in self._made.items() if name in ("apply", "watch", "roll_back")]
        ends >> self._add("record", DataRobotRecordPromotionOperator, {**given, "trigger_rule": "all_done"})

    def _next(self, name: str, kind: Any, given: Mapping[str, Any]) -> None:
        last = next(reversed(self._made.values()), None)
        task = self._add(name, kind, given)
        if last is not None:
            last >> task

    def _add(self, name: str, kind: Any, given: Mapping[str, Any]) -> BaseOperator:
        task: BaseOperator = kind(task_id=name, **{**given, **self._more.get(name, {})})
        self._made[name] = task
        return task

    # --- templates: a task of a mapped group must see its own instance only -----------------------------------

    def _pulled(self, step: str, key: str | None = None) -> str:
        named = f", key='{key}'" if key else ""
        return f"ti.xcom_pull(task_ids='{self._made[step].task_id}', map_indexes=ti.map_index{named})"

    def _left(self, step: str, name: str) -> str:
        return f"{{{{ {self._pulled(step)}['{name}'] }}}}"

    def _previous(self) -> str:
        """The champion that ``apply`` replaced, where it came to say so, else the one of ``before``."""
        replaced = f"({self._pulled('apply')} or {{}}).get('previous')"
        return f"{{{{ ({replaced} or ({self._pulled('before')} or {{}}).get('champion') or {{}}) | tojson }}}}"

    def _failed_check(self) -> str:
        return f"{{{{ {self._pulled('watch', FAILED_CHECK)} or '' }}}}"
