# The audience of every token (RFC 9068 section 3). It is on a default scope, so that declared, self-registered and
# service-account clients all carry it, and on each MCP scope, because Keycloak gives a client that registers with a
# `scope` of its own none of the realm's default scopes. No role may be mapped to these scopes: Keycloak drops a scope with roles for
# whoever has none of them.

resource "keycloak_openid_client_scope" "audience" {
  realm_id                            = local._realm
  name                                = "mcp-audience"
  description                         = "Names the MCP server as the audience of access tokens."
  include_in_token_scope              = false
  include_in_openid_provider_metadata = false
}

locals {
  _audience_scopes = merge(
    { mcp-audience = keycloak_openid_client_scope.audience.id },
    { for name, scope in keycloak_openid_client_scope.mcp : name => scope.id },
  )
}

resource "keycloak_openid_audience_protocol_mapper" "resource" {
  for_each = local._audience_scopes

  realm_id                   = local._realm
  client_scope_id            = each.value
  name                       = "canonical MCP URL"
  included_custom_audience   = local._audience
  add_to_access_token        = true
  add_to_id_token            = false
  add_to_token_introspection = true
}

# Introspection and token exchange answer only to a client that is in the audience.
resource "keycloak_openid_audience_protocol_mapper" "server" {
  for_each = length(local._resource_servers) == 1 ? local._audience_scopes : {}

  realm_id                   = local._realm
  client_scope_id            = each.value
  name                       = "MCP server client"
  included_client_audience   = keycloak_openid_client.confidential[one(keys(local._resource_servers))].client_id
  add_to_access_token        = true
  add_to_id_token            = false
  add_to_token_introspection = true
}
