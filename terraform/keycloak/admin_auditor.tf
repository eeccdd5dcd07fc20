# The account that `secure-mcp audit` logs in as: it reads this realm and can change nothing. Whoever reads clients reads their
# secrets too (Keycloak 26.7.4 shows them to view-clients), so its own secret is kept as carefully as all of theirs together.

locals {
  _auditor_client_id = "auditor"

  # view-realm: realm, keys, scopes, policies, flows, roles · view-clients: clients and what is mapped to them ·
  # view-users: who holds which role · view-identity-providers: who else may log people in ·
  # view-events: which clients registered by themselves.
  _auditor_roles = ["view-clients", "view-events", "view-identity-providers", "view-realm", "view-users"]
}

resource "keycloak_openid_client" "auditor" {
  realm_id    = local._realm
  client_id   = local._auditor_client_id
  name        = "Auditor"
  description = "Compares this realm with terraform/keycloak and changes nothing (secure-mcp audit)."
  enabled     = true
  access_type = "CONFIDENTIAL"

  client_authenticator_type = "client-secret"
  client_secret_wo          = var.client_secrets[local._auditor_client_id]
  client_secret_wo_version  = local._secret_versions[local._auditor_client_id]

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

data "keycloak_role" "auditor" {
  for_each = toset(local._auditor_roles)

  realm_id  = local._realm
  client_id = data.keycloak_openid_client.realm_management.id
  name      = each.key
}

resource "keycloak_role" "auditor" {
  realm_id        = local._realm
  name            = "auditor-account"
  description     = "What the account auditor may read in this realm."
  composite_roles = [for role in data.keycloak_role.auditor : role.id]
}

resource "keycloak_openid_client_service_account_realm_role" "auditor" {
  realm_id                = local._realm
  service_account_user_id = keycloak_openid_client.auditor.service_account_user_id
  role                    = keycloak_role.auditor.name
}

resource "keycloak_generic_role_mapper" "auditor" {
  realm_id  = local._realm
  client_id = keycloak_openid_client.auditor.id
  role_id   = keycloak_role.auditor.id
}

# Without mcp-audience, as for `terraform`: the MCP service refuses this account's token.
resource "keycloak_openid_client_default_scopes" "auditor" {
  realm_id       = local._realm
  client_id      = keycloak_openid_client.auditor.id
  default_scopes = ["basic", "roles", local._service_account_scope, keycloak_openid_client_scope.declared.name]
}

resource "keycloak_openid_client_optional_scopes" "auditor" {
  realm_id        = local._realm
  client_id       = keycloak_openid_client.auditor.id
  optional_scopes = []
}
