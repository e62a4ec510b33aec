"""What the service does, without HTTP: deployments, replacement, approval policies and change requests."""
