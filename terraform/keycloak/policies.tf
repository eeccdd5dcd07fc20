# One profile and one policy for the realm: the provider loses edits when it changes several at once (README.md).
# Not the built-in oauth-2-1-for-public-client: it forces DPoP, which MCP clients do not speak.

resource "keycloak_realm_client_policy_profile" "secure_mcp" {
  realm_id    = local._realm
  name        = "secure-mcp"
  description = "PKCE with S256, no implicit flow, no password grant."

  # auto-configure: a client that registers by itself is made to conform, for RFC 7591 has no word for PKCE.
  executor {
    name          = "pkce-enforcer"
    configuration = { auto-configure = "true" }
  }

  executor {
    name          = "reject-implicit-grant"
    configuration = { auto-configure = "true" }
  }

  executor {
    name          = "reject-ropc-grant"
    configuration = { auto-configure = "true" }
  }
}

resource "keycloak_realm_client_policy_profile_policy" "any_client" {
  realm_id    = local._realm
  name        = "any-client"
  description = "Every client of the realm, however it came to be."
  enabled     = true
  profiles    = [keycloak_realm_client_policy_profile.secure_mcp.name]

  condition {
    name = "any-client"
  }
}
