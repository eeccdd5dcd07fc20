# A realm as it should be; with `weak` each resource loses what one group of rules looks for.
terraform {
  required_version = ">= 1.11"

  required_providers {
    keycloak = {
      source  = "keycloak/keycloak"
      version = "~> 5.9"
    }
  }
}

provider "keycloak" {
  url                      = var.url
  realm                    = "master"
  client_id                = "bootstrap-admin"
  client_secret            = var.admin_secret
  initial_login            = false
  client_timeout           = 60
  tls_insecure_skip_verify = var.weak
}

variable "admin_secret" {
  type        = string
  description = "Secret of the administrator of the server."
  ephemeral   = true
  nullable    = false
}

variable "api_token" {
  type        = string
  description = "Stands for a secret that comes by a variable which is not ephemeral."
  default     = null
}

variable "url" {
  type        = string
  description = "Origin of the server."
  nullable    = false
}

variable "weak" {
  type        = bool
  description = "Whether the weakened form is planned."
  default     = false
  nullable    = false
}

locals {
  new = var.weak ? { new = true } : {} # what is there only in the weakened form
}

check "nothing_is_weak" {
  assert {
    condition     = !var.weak
    error_message = "The weakened form is planned."
  }
}

output "client_secret" {
  description = "Stands for a secret that leaves by an output."
  value       = var.weak ? sensitive("not-a-secret") : null
  sensitive   = true
}
