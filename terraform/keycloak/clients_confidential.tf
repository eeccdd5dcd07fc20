# Clients with a secret. A service account has the client credentials grant and nothing else (RFC 6749 section 4.4); the
# MCP service itself introspects tokens (RFC 7662) and exchanges them (RFC 8693), and gets none of its own.
# With private_key_jwt (RFC 7523) a service account proves itself by a signature, and Keycloak takes no secret from it: the one
# that Terraform still sends, so that Keycloak does not make one up, opens nothing.

locals {
  _key_attributes = { for client_id, client in local._confidential : client_id => merge(
    startswith(client.private_key_jwt, "http") ? { "use.jwks.url" = "true", "jwks.url" = client.private_key_jwt } : {},
    startswith(client.private_key_jwt, "MII") ? { "use.jwks.url" = "false", "jwt.credential.certificate" = client.private_key_jwt } : {},
  ) }
}

resource "keycloak_openid_client" "confidential" {
  for_each = local._confidential

  realm_id    = local._realm
  client_id   = each.key
  name        = each.value.name
  description = each.value.description
  enabled     = true
  access_type = "CONFIDENTIAL"
  # Takes over a client that is there, without reading its secret; an `import` block would write it to the state.
  import = contains(var.adopted_clients, each.key)

  client_authenticator_type = each.value.private_key_jwt == "" ? "client-secret" : "client-jwt"
  client_secret_wo          = var.client_secrets[each.key]
  client_secret_wo_version  = local._secret_versions[each.key]

  standard_flow_enabled                          = false
  implicit_flow_enabled                          = false
  direct_access_grants_enabled                   = false
  service_accounts_enabled                       = each.value.kind == "service_account"
  oauth2_device_authorization_grant_enabled      = false
  oauth2_jwt_authorization_grant_enabled         = false
  standard_token_exchange_enabled                = each.value.kind == "resource_server"
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

  extra_config = merge(local._client_attributes, local._key_attributes[each.key])
}

resource "keycloak_openid_client_default_scopes" "confidential" {
  for_each = local._confidential

  realm_id  = local._realm
  client_id = keycloak_openid_client.confidential[each.key].id
  default_scopes = concat(
    each.value.kind == "resource_server" ? local._exchange_scopes : local._client_default_scopes,
    each.value.kind == "service_account" ? [local._service_account_scope] : [],
    [for scope in each.value.default_scopes : keycloak_openid_client_scope.mcp[scope].name],
  )
}

resource "keycloak_openid_client_optional_scopes" "confidential" {
  for_each = local._confidential

  realm_id        = local._realm
  client_id       = keycloak_openid_client.confidential[each.key].id
  optional_scopes = [for scope in each.value.optional_scopes : keycloak_openid_client_scope.mcp[scope].name]
}
