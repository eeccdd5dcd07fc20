terraform {
  # 1.11 brought write-only arguments, which keep client secrets out of state and plan.
  required_version = ">= 1.11"

  required_providers {
    keycloak = {
      source = "keycloak/keycloak"
      # 5.9 brought client registration policies, their import by name, and the optional-scope list's import.
      version = "~> 5.9"
    }
  }

  # Values come from ../environments/<environment>/keycloak.backend.hcl; another kind of backend by backend_override.tf.
  backend "local" {}
}
