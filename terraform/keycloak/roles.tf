# Roles of people. No tool asks for one: they are here for tools that will, and appear in tokens by the scope below.

locals {
  _realm_roles = {
    mcp-admin = "Administers the MCP server."
    mcp-user  = "Uses the MCP server."
  }
  _server_roles = {
    tool-admin = "Administers the tools of the MCP server."
  }
}

resource "keycloak_role" "realm" {
  for_each = local._realm_roles

  realm_id    = local._realm
  name        = each.key
  description = each.value
}

resource "keycloak_role" "server" {
  for_each = merge([for client_id in keys(local._resource_servers) : {
    for name, description in local._server_roles : "${client_id}/${name}" => { client_id = client_id, name = name, description = description }
  }]...)

  realm_id    = local._realm
  client_id   = keycloak_openid_client.confidential[each.value.client_id].id
  name        = each.value.name
  description = each.value.description
}

# With full scope off a token carries only roles that a scope of the client lets through. This one is a default of every
# declared client and not of the realm: a client that registered by itself carries no role of the person.
resource "keycloak_openid_client_scope" "roles" {
  realm_id                            = local._realm
  name                                = "mcp-roles"
  description                         = "Lets the roles of the MCP server into access tokens."
  include_in_token_scope              = false
  include_in_openid_provider_metadata = false
}

resource "keycloak_generic_role_mapper" "roles" {
  for_each = merge(
    { for name, role in keycloak_role.realm : name => role.id },
    { for name, role in keycloak_role.server : name => role.id },
  )

  realm_id        = local._realm
  client_scope_id = keycloak_openid_client_scope.roles.id
  role_id         = each.value
}
