"""Floor 2: what the pipelines know about MLOps, without Airflow. Modules are imported by name."""
