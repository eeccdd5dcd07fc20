"""The tools, one file a tool. To add one, see registry.py: declare an async function, and nothing else."""
