# APIs that tools call on behalf of the caller. The service exchanges the caller's token (RFC 8693 section 2) for one whose only
# audience is such an API. The API is a bearer-only client: Keycloak wants a client as the audience, and this one has no secret,
# no login and no token of its own.

locals {
  # What a token exchanged by the service carries without being asked: the subject and the audiences to choose from. Not
  # mcp-audience, so that nothing exchanged opens the service itself, and nothing about the person besides `sub`.
  _exchange_scopes = concat(
    ["basic", keycloak_openid_client_scope.declared.name],
    [for scope in keycloak_openid_client_scope.downstream : scope.name],
  )
}

# Keycloak attaches the realm's default scopes to a new client, and the provider refuses to set those of a bearer-only one. They do
# nothing, for it gets no token; made in this order they are the same in every realm.
resource "keycloak_openid_client" "downstream" {
  for_each   = local._downstream_apis
  depends_on = [keycloak_realm_default_client_scopes.main, keycloak_realm_optional_client_scopes.main]

  realm_id    = local._realm
  client_id   = each.key
  name        = each.key
  description = "An API that tools of the MCP service call on behalf of the caller."
  enabled     = true
  access_type = "BEARER-ONLY"

  standard_flow_enabled                          = false
  implicit_flow_enabled                          = false
  direct_access_grants_enabled                   = false
  service_accounts_enabled                       = false
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

resource "keycloak_openid_client_scope" "downstream" {
  for_each = local._downstream_apis

  realm_id                            = local._realm
  name                                = "${each.key}-audience"
  description                         = "Lets the MCP service exchange a caller's token for one whose audience is ${each.key}."
  include_in_token_scope              = false
  include_in_openid_provider_metadata = false
}

resource "keycloak_openid_audience_protocol_mapper" "downstream" {
  for_each = local._downstream_apis

  realm_id                   = local._realm
  client_scope_id            = keycloak_openid_client_scope.downstream[each.key].id
  name                       = "downstream API"
  included_client_audience   = keycloak_openid_client.downstream[each.key].client_id
  add_to_access_token        = true
  add_to_id_token            = false
  add_to_token_introspection = true
}
