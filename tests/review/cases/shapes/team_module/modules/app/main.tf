terraform {
  required_providers {
    keycloak = {
      source = "keycloak/keycloak"
    }
  }
}

variable "realm" { type = string }
variable "slug" { type = string }
variable "callbacks" { type = list(string) }
variable "scopes" { type = list(string) }

variable "kind" {
  type    = string
  default = "CONFIDENTIAL"
}

variable "password" {
  type    = bool
  default = false
}

resource "keycloak_openid_client" "this" {
  realm_id                     = var.realm
  client_id                    = var.slug
  access_type                  = var.kind
  standard_flow_enabled        = true
  direct_access_grants_enabled = var.password
  valid_redirect_uris          = var.callbacks
}

resource "keycloak_openid_client_default_scopes" "this" {
  realm_id       = var.realm
  client_id      = keycloak_openid_client.this.id
  default_scopes = var.scopes
}

resource "keycloak_openid_user_client_role_protocol_mapper" "roles" {
  realm_id   = var.realm
  client_id  = keycloak_openid_client.this.id
  name       = "roles"
  claim_name = "roles"
}
