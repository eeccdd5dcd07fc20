# The account that Terraform itself logs in as after the first apply, with the least rights that suffice.

locals {
  _terraform_client_id = "terraform"

  # manage-realm: realm, keys, scopes, policies · manage-clients: clients · manage-events: the audit trail ·
  # view-users: reading the roles of this account. Not manage-users, so that it cannot give rights, to itself or to others:
  # after an edit of this list the bootstrap administrator applies once more.
  _terraform_roles = ["manage-clients", "manage-events", "manage-realm", "view-users"]
}

resource "keycloak_openid_client" "terraform" {
  realm_id    = local._realm
  client_id   = local._terraform_client_id
  name        = "Terraform"
  description = "Applies terraform/keycloak to this realm."
  enabled     = true
  access_type = "CONFIDENTIAL"

  client_authenticator_type = "client-secret"
  client_secret_wo          = var.client_secrets[local._terraform_client_id]
  client_secret_wo_version  = local._secret_versions[local._terraform_client_id]

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

data "keycloak_role" "terraform" {
  for_each = toset(local._terraform_roles)

  realm_id  = local._realm
  client_id = data.keycloak_openid_client.realm_management.id
  name      = each.key
}

# One role that holds the rights, and one mapping of it: when a mapping of a client role is deleted, the provider deletes
# all of that client with it, and the account would be shut out.
resource "keycloak_role" "terraform" {
  realm_id        = local._realm
  name            = "terraform-account"
  description     = "What the account terraform may do in this realm."
  composite_roles = [for role in data.keycloak_role.terraform : role.id]
}

resource "keycloak_openid_client_service_account_realm_role" "terraform" {
  realm_id                = local._realm
  service_account_user_id = keycloak_openid_client.terraform.service_account_user_id
  role                    = keycloak_role.terraform.name
}

# With full scope off the account's token carries a role only when it is mapped to the client as well.
resource "keycloak_generic_role_mapper" "terraform" {
  realm_id  = local._realm
  client_id = keycloak_openid_client.terraform.id
  role_id   = keycloak_role.terraform.id
}

# Without mcp-audience: the MCP service refuses this account's token.
resource "keycloak_openid_client_default_scopes" "terraform" {
  realm_id       = local._realm
  client_id      = keycloak_openid_client.terraform.id
  default_scopes = ["basic", "roles", local._service_account_scope, keycloak_openid_client_scope.declared.name]
}

resource "keycloak_openid_client_optional_scopes" "terraform" {
  realm_id        = local._realm
  client_id       = keycloak_openid_client.terraform.id
  optional_scopes = []
}

# Target of the first apply: the realm, this account and the auditor's, made by the bootstrap administrator of the server.
resource "terraform_data" "bootstrap" {
  depends_on = [
    keycloak_generic_role_mapper.auditor,
    keycloak_generic_role_mapper.terraform,
    keycloak_openid_client_default_scopes.auditor,
    keycloak_openid_client_default_scopes.terraform,
    keycloak_openid_client_optional_scopes.auditor,
    keycloak_openid_client_optional_scopes.terraform,
    keycloak_openid_client_service_account_realm_role.auditor,
    keycloak_openid_client_service_account_realm_role.terraform,
  ]
}
