# What a client that nobody declared may be, and what it may ask for. registration.tf says who may register at all.

locals {
  # https, or http on the person's own machine; nothing that a browser or a comparison could read in two ways.
  _registered_redirects = "^(https://[A-Za-z0-9.-]+(:[0-9]+)?|http://(127\\.0\\.0\\.1|localhost|\\[::1\\])(:[0-9]+)?)(/[^*#?\\s\\\\]*)?$"

  # What Keycloak itself may fetch or call for such a client: never this machine.
  _fetchable_hosts = [for host in split(",", local._trusted_hosts) : replace(host, ".", "\\.")
  if !can(regex("^(localhost|127\\..*|[0-9.]+)$", host))]
  _registered_hosts = join("|", length(local._fetchable_hosts) > 0 ? local._fetchable_hosts : ["closed\\.invalid"])
  _registered_uris  = "^https://(${local._registered_hosts})(:[0-9]+)?(/[^*#\\s\\\\]*)?$"
  # Pages that may read the token endpoint's answers, and where a browser may be sent after logout.
  _registered_pages = "^(https://(${local._registered_hosts})|http://(127\\.0\\.0\\.1|localhost|\\[::1\\]))(:[0-9]+)?(/[^*#?\\s\\\\]*)?$"

  # No declared client has these, and whoever registers may ask for them.
  _unused_grants = [
    "urn:ietf:params:oauth:grant-type:device_code",
    "urn:ietf:params:oauth:grant-type:jwt-bearer",
    "urn:openid:params:grant-type:ciba",
  ]
  # Scopes that a metadata document could name: Keycloak 26.7.4 assigns whatever stands there.
  _declared_scopes = sort(setsubtract(
    [
      "address", "microprofile-jwt", "offline_access", "organization", "phone", local._service_account_scope,
      keycloak_openid_client_scope.declared.name, keycloak_openid_client_scope.roles.name,
    ],
    local._registration_scopes,
  ))
  _undeclared = jsonencode([keycloak_openid_client_scope.declared.name])
}

# Every client of the contract has it, and Terraform's own accounts; whoever registered by itself has not. It puts
# nothing into tokens.
resource "keycloak_openid_client_scope" "declared" {
  realm_id                            = local._realm
  name                                = "mcp-declared"
  description                         = "Marks the clients that are declared."
  include_in_token_scope              = false
  include_in_openid_provider_metadata = false
}

resource "keycloak_realm_client_policy_profile" "registration" {
  realm_id    = local._realm
  name        = "secure-mcp-registration"
  description = "Exact redirect URIs, and no URI that Keycloak would fetch from elsewhere."

  executor {
    name = "secure-client-uris-pattern"
    configuration = {
      client-uri-fields = jsonencode(["redirectUris"])
      allowed-patterns  = jsonencode([local._registered_redirects])
    }
  }

  executor {
    name = "secure-client-uris-pattern"
    configuration = {
      client-uri-fields = jsonencode([
        "rootUrl", "adminUrl", "baseUrl", "jwksUri", "requestUris", "backchannelLogoutUrl",
        "cibaClientNotificationEndpoint", "logoUri", "policyUri", "tosUri", "sectorIdentifierUri",
      ])
      allowed-patterns = jsonencode([local._registered_uris])
    }
  }

  executor {
    name = "secure-client-uris-pattern"
    configuration = {
      client-uri-fields = jsonencode(["postLogoutRedirectUris", "webOrigins"])
      allowed-patterns  = jsonencode([local._registered_pages])
    }
  }

  # Only where strangers may register: Keycloak's own format (not RFC 7591), with a flow left out, makes these fail.
  dynamic "executor" {
    for_each = local._registration_open ? ["reject-implicit-grant", "reject-ropc-grant"] : []
    content {
      name          = executor.value
      configuration = { auto-configure = "false" }
    }
  }

  depends_on = [keycloak_realm_client_policy_profile.secure_mcp]
}

# Where metadata documents are open, nobody registers anonymously, and Keycloak calls a document anonymous: this executor
# would fail at each.
resource "keycloak_realm_client_policy_profile_policy" "self_registered" {
  realm_id    = local._realm
  name        = "self-registered"
  description = "Clients that register or change themselves."
  enabled     = true
  profiles    = [keycloak_realm_client_policy_profile.registration.name]

  condition {
    name = "client-updater-context"
    configuration = { update-client-source = jsonencode(concat(
      ["ByInitialAccessToken", "ByRegistrationAccessToken"], local._metadata_open ? [] : ["ByAnonymous"],
    )) }
  }

  depends_on = [keycloak_realm_client_policy_profile.metadata_documents]
}

resource "keycloak_realm_client_policy_profile_policy" "unused_grants" {
  realm_id    = local._realm
  name        = "unused-grants"
  description = "Grants that no declared client has."
  enabled     = true
  profiles    = [keycloak_realm_client_policy_profile.refusal.name]

  condition {
    name          = "grant-type"
    configuration = { grant_types = jsonencode(local._unused_grants) }
  }

  depends_on = [keycloak_realm_client_policy_profile_policy.self_registered]
}

# Keycloak gives the scope to whoever asked for client_credentials. Not by the condition `grant-type`: it has no opinion
# about the exchange of a code, so that the other condition alone would refuse that too.
resource "keycloak_realm_client_policy_profile_policy" "undeclared_service_accounts" {
  realm_id    = local._realm
  name        = "undeclared-service-accounts"
  description = "Service accounts are for declared clients: another client that has one may do nothing."
  enabled     = true
  profiles    = [keycloak_realm_client_policy_profile.refusal.name]

  condition {
    name          = "client-scopes"
    configuration = { type = "Default", scopes = jsonencode([local._service_account_scope]) }
  }

  condition {
    name          = "client-scopes"
    configuration = { type = "Default", scopes = local._undeclared, is-negative-logic = "true" }
  }

  depends_on = [keycloak_realm_client_policy_profile_policy.unused_grants]
}

resource "keycloak_realm_client_policy_profile_policy" "undeclared_scopes" {
  realm_id    = local._realm
  name        = "undeclared-scopes"
  description = "Inner scopes are for declared clients."
  enabled     = true
  profiles    = [keycloak_realm_client_policy_profile.refusal.name]

  condition {
    name          = "client-scopes"
    configuration = { type = "Optional", scopes = jsonencode(local._declared_scopes) }
  }

  condition {
    name          = "client-scopes"
    configuration = { type = "Default", scopes = local._undeclared, is-negative-logic = "true" }
  }

  depends_on = [keycloak_realm_client_policy_profile_policy.undeclared_service_accounts]
}
