"""What Airflow asks a provider at every start, one file an area; ``get_provider_info`` lists this folder.

A file has one constant ``INFO`` with keys of Airflow's provider schema (``connection-types``, ``extra-links``,
``notifications``, ...). The lists of all files are joined. Nothing but data belongs here: each start of each Airflow
process imports it. Modules of operators, sensors, hooks and triggers need no entry, their folders are listed.
"""
