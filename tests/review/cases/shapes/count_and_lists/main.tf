# Clients by number from a list of objects, one of them only where it is wanted.
variable "spa_clients" {
  type = list(object({ name = string, origin = string }))
  default = [
    { name = "portal", origin = "https://portal.example.com" },
    { name = "intranet", origin = "http://intranet.example.com" },
  ]
}

variable "with_debug_client" {
  type    = bool
  default = true
}

resource "keycloak_realm" "this" {
  realm                 = "customers"
  enabled               = true
  registration_allowed  = true
  access_token_lifespan = "1h"
}

resource "keycloak_openid_client" "spa" {
  count = length(var.spa_clients)

  realm_id                   = keycloak_realm.this.id
  client_id                  = var.spa_clients[count.index].name
  access_type                = "PUBLIC"
  standard_flow_enabled      = true
  pkce_code_challenge_method = "S256"
  full_scope_allowed         = false
  root_url                   = var.spa_clients[count.index].origin
  valid_redirect_uris        = ["${var.spa_clients[count.index].origin}/callback"]
  web_origins                = ["*"]
}

resource "keycloak_openid_client" "debug" {
  count = var.with_debug_client ? 1 : 0

  realm_id                     = keycloak_realm.this.id
  client_id                    = "debug"
  access_type                  = "PUBLIC"
  direct_access_grants_enabled = true
  implicit_flow_enabled        = true
  valid_redirect_uris          = ["*"]
}
