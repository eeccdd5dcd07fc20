"""The stack on a Docker Swarm: `terraform/docker/swarm` and what it cannot do."""
