"""``make soak``: an hour of waits in Airflow's real triggerer, watched from outside, with faults all along.

    director ──begins and ends work──► emulators (two tenants, processes of their own) ◄──looks── triggerer's runner
        └──────deferred tasks, as rows──► PostgreSQL ◄──takes rows, brings events── triggerer's supervisor

The triggerer is ``airflow triggerer`` itself, on PostgreSQL: its supervisor, its socket, its log files and its cleaning
up take part, which a runner inside a test would leave out. Workers and schedulers are left out, as they do not
matter to waits: rows that look as after a deferral are put into the database, and events are read where they wait
for a worker.
"""
