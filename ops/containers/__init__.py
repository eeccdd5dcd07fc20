"""The stack on a Docker engine: images, secrets, certificates, Terraform's two roots, backup and restore."""
