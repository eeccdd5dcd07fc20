resource "keycloak_openid_client_scope" "orders" {
  realm_id            = keycloak_realm.main.id
  name                = "orders"
  consent_screen_text = var.weak ? "" : "See your orders"
}

resource "keycloak_openid_client_scope" "audience" {
  realm_id = keycloak_realm.main.id
  name     = "orders-audience"
}

resource "keycloak_openid_client_scope" "left_out" {
  for_each = var.weak ? {} : { old = true }
  realm_id = keycloak_realm.main.id
  name     = "left-out"
}

resource "keycloak_openid_audience_protocol_mapper" "kept" {
  realm_id                 = keycloak_realm.main.id
  client_scope_id          = keycloak_openid_client_scope.audience.id
  name                     = "orders audience"
  included_custom_audience = "https://orders.example.com"
  add_to_id_token          = false
}

resource "keycloak_openid_audience_protocol_mapper" "changed" {
  realm_id                 = keycloak_realm.main.id
  client_scope_id          = keycloak_openid_client_scope.orders.id
  name                     = "changed audience"
  included_custom_audience = var.weak ? "https://shop.example.net" : "https://orders.example.com"
  add_to_id_token          = var.weak
}

resource "keycloak_openid_audience_protocol_mapper" "added" {
  for_each                 = local.new
  realm_id                 = keycloak_realm.main.id
  client_scope_id          = keycloak_openid_client_scope.orders.id
  name                     = "added audience"
  included_custom_audience = "https://stock.example.com"
  add_to_id_token          = false
}

resource "keycloak_openid_client_default_scopes" "shop" {
  realm_id       = keycloak_realm.main.id
  client_id      = keycloak_openid_client.shop.id
  default_scopes = var.weak ? ["basic", keycloak_openid_client_scope.orders.name] : ["basic", keycloak_openid_client_scope.audience.name, "email"]
}

resource "keycloak_openid_client_optional_scopes" "shop" {
  realm_id        = keycloak_realm.main.id
  client_id       = keycloak_openid_client.shop.id
  optional_scopes = var.weak ? ["phone", "offline_access"] : ["address"]
}

resource "keycloak_openid_client_optional_scopes" "job" {
  for_each        = var.weak ? {} : { old = true }
  realm_id        = keycloak_realm.main.id
  client_id       = keycloak_openid_client.job.id
  optional_scopes = []
}

resource "keycloak_realm_default_client_scopes" "main" {
  realm_id       = keycloak_realm.main.id
  default_scopes = var.weak ? ["basic", keycloak_openid_client_scope.orders.name] : ["basic"]
}

resource "keycloak_realm_optional_client_scopes" "main" {
  realm_id        = keycloak_realm.main.id
  optional_scopes = var.weak ? ["address", "phone"] : ["address"]
}

resource "keycloak_openid_hardcoded_role_protocol_mapper" "role" {
  for_each        = local.new
  realm_id        = keycloak_realm.main.id
  client_scope_id = keycloak_openid_client_scope.orders.id
  name            = "role for all"
  role_id         = keycloak_role.clerk.id
}

resource "keycloak_openid_hardcoded_claim_protocol_mapper" "fixed" {
  for_each        = local.new
  realm_id        = keycloak_realm.main.id
  client_scope_id = keycloak_openid_client_scope.orders.id
  name            = "fixed"
  claim_name      = "tier"
  claim_value     = "gold"
}

resource "keycloak_openid_user_attribute_protocol_mapper" "protected" {
  for_each        = local.new
  realm_id        = keycloak_realm.main.id
  client_scope_id = keycloak_openid_client_scope.orders.id
  name            = "protected"
  user_attribute  = "nickname"
  claim_name      = "scope"
}

resource "keycloak_generic_protocol_mapper" "script" {
  for_each        = local.new
  realm_id        = keycloak_realm.main.id
  client_scope_id = keycloak_openid_client_scope.orders.id
  name            = "script"
  protocol        = "openid-connect"
  protocol_mapper = "script-orders.js"
  config          = { "access.token.claim" = "true" }
}

resource "keycloak_openid_full_name_protocol_mapper" "added" {
  for_each        = local.new
  realm_id        = keycloak_realm.main.id
  client_scope_id = keycloak_openid_client_scope.orders.id
  name            = "full name"
}
