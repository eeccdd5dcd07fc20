# Programs and pages that a person logs in with: code flow with PKCE and nothing else (OAuth 2.1 section 4.1).

locals {
  _redirects = { for client_id, client in local._public : client_id => concat(
    client.redirect_uris, [for path in client.redirect_paths : "${var.public_url}${path}"],
  ) }
  # A program on the person's own machine (RFC 8252): it may stay logged in, a page of the service may not.
  _native = [for client_id, client in local._public : client_id if anytrue([
    for uri in client.redirect_uris : can(regex("^http://", uri))
  ])]
}

resource "keycloak_openid_client" "public" {
  for_each = local._public

  realm_id    = local._realm
  client_id   = each.key
  name        = each.value.name
  description = each.value.description
  enabled     = true
  access_type = "PUBLIC"

  standard_flow_enabled                     = true
  implicit_flow_enabled                     = false
  direct_access_grants_enabled              = false
  service_accounts_enabled                  = false
  oauth2_device_authorization_grant_enabled = false
  oauth2_jwt_authorization_grant_enabled    = false
  standard_token_exchange_enabled           = false
  pkce_code_challenge_method                = "S256"
  require_dpop_bound_tokens                 = false
  exclude_issuer_from_auth_response         = false
  exclude_session_state_from_auth_response  = false

  valid_redirect_uris             = local._redirects[each.key]
  valid_post_logout_redirect_uris = local._redirects[each.key]
  # The origins of the exact redirect URIs, and no others: a scheme of an application's own is no browser's origin.
  web_origins = distinct([for uri in local._redirects[each.key] : regex("^https?://[^/]+", uri) if can(regex("^https?://", uri))])
  root_url    = ""
  base_url    = ""
  admin_url   = ""
  login_theme = ""

  full_scope_allowed        = false
  consent_required          = each.value.consent
  display_on_consent_screen = false
  always_display_in_console = false
  consent_screen_text       = ""

  use_refresh_tokens                  = true
  access_token_lifespan               = local._client_lifespans.access_token
  client_session_idle_timeout         = local._client_lifespans.session_idle
  client_session_max_lifespan         = local._client_lifespans.session_max
  client_offline_session_idle_timeout = local._client_lifespans.offline_idle
  client_offline_session_max_lifespan = local._client_lifespans.offline_max

  frontchannel_logout_enabled = false
  frontchannel_logout_url     = ""
  # Keycloak tells the service when a session ends, so that its tokens are refused before they expire.
  backchannel_logout_url                     = "${coalesce(var.service_url, var.public_url)}/backchannel-logout"
  backchannel_logout_session_required        = true
  backchannel_logout_revoke_offline_sessions = false

  extra_config = local._client_attributes
}

resource "keycloak_openid_client_default_scopes" "public" {
  for_each = local._public

  realm_id       = local._realm
  client_id      = keycloak_openid_client.public[each.key].id
  default_scopes = concat(local._client_default_scopes, [for scope in each.value.default_scopes : keycloak_openid_client_scope.mcp[scope].name])
}

resource "keycloak_openid_client_optional_scopes" "public" {
  for_each = local._public

  realm_id  = local._realm
  client_id = keycloak_openid_client.public[each.key].id
  optional_scopes = concat(
    [for scope in each.value.optional_scopes : keycloak_openid_client_scope.mcp[scope].name],
    contains(local._native, each.key) ? ["offline_access"] : [],
  )
}
