"""Clearing tasks of a finished run, as Airflow's own code does it, and running the run on to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun
    from airflow.sdk import DAG


LOOKS = 50  # of the scheduler's loop; a run that needs more hangs


def clear_and_run(dag: DAG, run: DagRun, *steps: str, downstream: bool = True) -> dict[str, str]:
    """Clears these steps of the group, and what is behind them unless told otherwise; how each ended afterwards.

    The loop is the one of ``dag.test()``, which itself always begins a run.
    """
    from airflow.models.dagrun import DagRun
    from airflow.models.serialized_dag import SerializedDagModel
    from airflow.models.taskinstance import clear_task_instances
    from airflow.sdk.definitions.dag import _run_task
    from airflow.utils.session import create_session
    from airflow.utils.state import TaskInstanceState

    names = {f"promotion.{step}" for step in steps}
    if downstream:
        names |= {one.task_id for name in set(names) for one in dag.task_dict[name].get_flat_relatives(upstream=False)}
    with create_session() as session:
        found = session.query(DagRun).filter_by(dag_id=run.dag_id, run_id=run.run_id).one()
        stored = SerializedDagModel.get(run.dag_id, session=session)
        assert stored is not None, "a DAG that ran is stored"
        found.dag = stored.dag
        clear_task_instances([ti for ti in found.get_task_instances(session=session) if ti.task_id in names], session)
        found.state = "running"
        session.commit()
        for _ in range(LOOKS):
            if found.state != "running":
                break
            session.expire_all()
            ready, _ = found.update_state(session=session)
            for instance in ready:
                instance.try_number += 1
                instance.state = TaskInstanceState.SCHEDULED
            session.commit()
            for instance in found.get_task_instances(session=session):
                if instance.state == TaskInstanceState.SCHEDULED:
                    task: Any = dag.task_dict[instance.task_id]
                    _run_task(ti=instance, task=task, run_triggerer=True)
        ended = {one.task_id: str(one.state) for one in found.get_task_instances(session=session)}
        return {"run": str(found.state), **{name.removeprefix("promotion."): state for name, state in ended.items()}}
