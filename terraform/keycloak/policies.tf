# What every client has to do, however it came to be. Client policies of Keycloak are two lists, each written as a whole:
# the resources below depend on each other so that no two are written at once, and so that the lists have one order.
# Keycloak goes through the policies in that order: who registers is refused before `any-client` makes it conform.
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

resource "keycloak_realm_client_policy_profile" "refusal" {
  realm_id    = local._realm
  name        = "secure-mcp-refusal"
  description = "Refuses the request."

  executor {
    name = "reject-request"
  }

  depends_on = [keycloak_realm_client_policy_profile.registration]
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

  depends_on = [keycloak_realm_client_policy_profile_policy.metadata_documents]
}
