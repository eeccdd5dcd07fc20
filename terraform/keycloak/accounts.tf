# The operator's own accounts, each with the least rights that suffice: `terraform` applies this module after the first apply,
# `auditor` reads (secure-mcp audit) and can change nothing. Whoever reads clients reads their secrets too (Keycloak 26.7.4 shows
# them to view-clients), so the auditor's own secret is kept as carefully as all of theirs together.

locals {
  _accounts = {
    # manage-realm: realm, keys, scopes, policies · manage-clients: clients · manage-events: the audit trail ·
    # view-users: reading the roles of this account. Not manage-users, so that it cannot give rights, to itself or to others:
    # after an edit of this list the bootstrap administrator applies once more.
    terraform = {
      name        = "Terraform"
      description = "Applies terraform/keycloak to this realm."
      may         = "What the account terraform may do in this realm."
      roles       = ["manage-clients", "manage-events", "manage-realm", "view-users"]
    }
    # view-realm: realm, keys, scopes, policies, flows, roles · view-clients: clients and what is mapped to them ·
    # view-users: who holds which role · view-identity-providers: who else may log people in ·
    # view-events: which clients registered by themselves.
    auditor = {
      name        = "Auditor"
      description = "Compares this realm with terraform/keycloak and changes nothing (secure-mcp audit)."
      may         = "What the account auditor may read in this realm."
      roles       = ["view-clients", "view-events", "view-identity-providers", "view-realm", "view-users"]
    }
  }
}

resource "keycloak_openid_client" "account" {
  for_each = local._accounts

  realm_id    = local._realm
  client_id   = each.key
  name        = each.value.name
  description = each.value.description
  enabled     = true
  access_type = "CONFIDENTIAL"

  client_authenticator_type = "client-secret"
  client_secret_wo          = var.client_secrets[each.key]
  client_secret_wo_version  = local._secret_versions[each.key]

  standard_flow_enabled                          = false
  implicit_flow_enabled                          = false
  direct_access_grants_enabled                   = false
  service_accounts_enabled                       = true
  oauth2_device_authorization_grant_enabled      = false
  oauth2_jwt_authorization_grant_enabled         = false
  standard_token_exchange_enabled                = false
  allow_refresh_token_in_standard_token_exchange = "NO"
  pkce_code_challenge_method                     = "S256"
  require_dpop_bound_tokens                      = false
  exclude_issuer_from_auth_response              = false
  exclude_session_state_from_auth_response       = false

  root_url    = ""
  base_url    = ""
  admin_url   = ""
  login_theme = ""

  full_scope_allowed        = false
  consent_required          = false
  display_on_consent_screen = false
  always_display_in_console = false
  consent_screen_text       = ""

  # A job asks again with its secret; it gets no refresh token (RFC 6749 section 4.4.3).
  use_refresh_tokens                    = false
  use_refresh_tokens_client_credentials = false
  access_token_lifespan                 = local._client_lifespans.access_token
  client_session_idle_timeout           = local._client_lifespans.session_idle
  client_session_max_lifespan           = local._client_lifespans.session_max
  client_offline_session_idle_timeout   = local._client_lifespans.offline_idle
  client_offline_session_max_lifespan   = local._client_lifespans.offline_max

  frontchannel_logout_enabled                = false
  frontchannel_logout_url                    = ""
  backchannel_logout_url                     = ""
  backchannel_logout_session_required        = true
  backchannel_logout_revoke_offline_sessions = false

  extra_config = local._client_attributes
}

# Keycloak makes this client with the realm. It is bearer-only and has no secret that a data source could put into the state.
data "keycloak_openid_client" "realm_management" {
  realm_id  = local._realm
  client_id = "realm-management"
}

data "keycloak_role" "account" {
  for_each = toset(flatten(values(local._accounts)[*].roles))

  realm_id  = local._realm
  client_id = data.keycloak_openid_client.realm_management.id
  name      = each.key
}

# One role that holds the rights, and one mapping of it: when a mapping of a client role is deleted, the provider deletes
# all of that client with it, and the account would be shut out.
resource "keycloak_role" "account" {
  for_each = local._accounts

  realm_id        = local._realm
  name            = "${each.key}-account"
  description     = each.value.may
  composite_roles = [for name in each.value.roles : data.keycloak_role.account[name].id]
}

resource "keycloak_openid_client_service_account_realm_role" "account" {
  for_each = local._accounts

  realm_id                = local._realm
  service_account_user_id = keycloak_openid_client.account[each.key].service_account_user_id
  role                    = keycloak_role.account[each.key].name
}

# With full scope off an account's token carries a role only when it is mapped to the client as well.
resource "keycloak_generic_role_mapper" "account" {
  for_each = local._accounts

  realm_id  = local._realm
  client_id = keycloak_openid_client.account[each.key].id
  role_id   = keycloak_role.account[each.key].id
}

# Without mcp-audience: the MCP service refuses these accounts' tokens.
resource "keycloak_openid_client_default_scopes" "account" {
  for_each = local._accounts

  realm_id       = local._realm
  client_id      = keycloak_openid_client.account[each.key].id
  default_scopes = ["basic", "roles", local._service_account_scope, keycloak_openid_client_scope.declared.name]
}

resource "keycloak_openid_client_optional_scopes" "account" {
  for_each = local._accounts

  realm_id        = local._realm
  client_id       = keycloak_openid_client.account[each.key].id
  optional_scopes = []
}

# Target of the first apply: the realm and its accounts, made by the bootstrap administrator of the server.
resource "terraform_data" "bootstrap" {
  depends_on = [
    keycloak_generic_role_mapper.account,
    keycloak_openid_client_default_scopes.account,
    keycloak_openid_client_optional_scopes.account,
    keycloak_openid_client_service_account_realm_role.account,
  ]
}
