"""Manifests of the service for a Kubernetes cluster: docs/kubernetes.md."""
