terraform {
  required_version = ">= 1.11"

  required_providers {
    docker = {
      source = "kreuzwerker/docker"
      # 4.5 is the first that was measured here; its traps are in README.md.
      version = "~> 4.5"
    }
  }

  # Values come from ../environments/<environment>/docker.backend.hcl; another kind of backend by backend_override.tf.
  backend "local" {}
}
