"""Example pipelines: files to copy and change. Each needs a connection and its Params, and nothing else."""
