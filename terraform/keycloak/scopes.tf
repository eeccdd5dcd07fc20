# The client scopes of the contract, and which scopes a client gets without asking or may ask for.

resource "keycloak_openid_client_scope" "mcp" {
  for_each = module.contract.scopes

  realm_id                            = local._realm
  name                                = each.key
  description                         = each.value.description
  consent_screen_text                 = each.value.consent
  include_in_token_scope              = true
  include_in_openid_provider_metadata = true
}

locals {
  # Keycloak's own: basic carries sub and auth_time, acr the level of login, roles the role claims and
  # web-origins the origins for CORS. SAML scopes are left out: no client speaks SAML.
  _keycloak_scopes = ["acr", "basic", "email", "profile", "roles", "web-origins"]
  _default_scopes  = concat(local._keycloak_scopes, [keycloak_openid_client_scope.audience.name])
  _mcp_scopes      = [for scope in keycloak_openid_client_scope.mcp : scope.name]

  # A client that registered by itself may ask for offline_access only where registration is open: the MCP clients
  # which register do ask, and Keycloak answers invalid_scope for a scope that is not assigned. Consent is required of
  # them, and offline sessions end (lifetimes.offline_*).
  _registration_scopes = local._limits.registration.anonymous == "closed" ? [] : ["offline_access"]
}

resource "keycloak_realm_default_client_scopes" "main" {
  realm_id       = local._realm
  default_scopes = local._default_scopes
}

# Optional in the realm, so that a client registered later can step up. Keycloak's address, phone, microprofile-jwt and
# organization are left out: nothing here uses them and each widens what a token may say about a person.
resource "keycloak_realm_optional_client_scopes" "main" {
  realm_id        = local._realm
  optional_scopes = concat(local._mcp_scopes, local._registration_scopes)
}
