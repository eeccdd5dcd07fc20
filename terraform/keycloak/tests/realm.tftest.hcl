# The whole root with a mocked provider: offline, in seconds. It proves our logic, not Keycloak's.

mock_provider "keycloak" {
  mock_resource "keycloak_realm" {
    defaults = { id = "mcp-realm" }
  }
}

variables {
  # An import asks the server, and here is none.
  adopt_registration_policies = false
  admin_client_secret         = "not-a-secret"
  client_secrets = {
    mcp-automation = "not-a-secret-not-a-secret-not-a-secret"
    mcp-reader     = "not-a-secret-not-a-secret-not-a-secret"
    mcp-server     = "not-a-secret-not-a-secret-not-a-secret"
    auditor        = "not-a-secret-not-a-secret-not-a-secret"
    terraform      = "not-a-secret-not-a-secret-not-a-secret"
  }
  environment  = "prod"
  keycloak_url = "https://auth.example.com"
  public_url   = "https://mcp.example.com"
}

run "realm_is_strict" {
  command = plan

  assert {
    condition     = keycloak_realm.main.revoke_refresh_token && keycloak_realm.main.refresh_token_max_reuse == 0
    error_message = "A refresh token can be used twice."
  }
  assert {
    condition = (
      keycloak_realm.main.ssl_required == "all" && keycloak_realm.main.terraform_deletion_protection
      && length(terraform_data.deletion_protection) == 1
    )
    error_message = "prod takes plain http or lets Terraform delete the realm."
  }
  assert {
    condition     = keycloak_realm.main.access_token_lifespan == "300s" && keycloak_realm.main.access_code_lifespan == "60s"
    error_message = "Lifetimes are not those of the contract."
  }
  assert {
    condition     = keycloak_realm.main.password_policy == "length(12) and passwordHistory(3) and notUsername(undefined) and notEmail(undefined)"
    error_message = "The password policy is not that of the contract."
  }
  assert {
    condition     = !keycloak_realm.main.registration_allowed && !keycloak_realm.main.reset_password_allowed
    error_message = "Strangers can register or reset a password although there is no mail."
  }
}

run "public_clients_have_the_code_flow_only" {
  command = plan

  assert {
    condition = alltrue([for client in values(keycloak_openid_client.public) :
      client.standard_flow_enabled && !client.implicit_flow_enabled && !client.direct_access_grants_enabled
      && !client.service_accounts_enabled && !client.full_scope_allowed && client.pkce_code_challenge_method == "S256"
    ])
    error_message = "A public client has a flow besides the code flow with PKCE."
  }
  assert {
    condition = keycloak_openid_client.public["mcp-console"].valid_redirect_uris == toset([
      "https://mcp.example.com/console/callback", "https://mcp.example.com/docs/oauth2-redirect",
    ])
    error_message = "The paths of mcp-console are not joined to the public URL."
  }
  assert {
    condition     = keycloak_openid_client.public["mcp-console"].web_origins == toset(["https://mcp.example.com"])
    error_message = "mcp-console has other web origins than the service's own."
  }
  assert {
    condition     = contains(keycloak_openid_client_optional_scopes.public["mcp-cli"].optional_scopes, "offline_access")
    error_message = "A program on the person's machine cannot ask for offline_access."
  }
  assert {
    condition     = !contains(keycloak_openid_client_optional_scopes.public["mcp-console"].optional_scopes, "offline_access")
    error_message = "A page of the service can ask for offline_access."
  }
}

run "confidential_clients_have_their_grant_only" {
  command = plan

  assert {
    condition = alltrue([for client in concat(
      values(keycloak_openid_client.confidential), values(keycloak_openid_client.account),
      ) : !client.standard_flow_enabled && !client.implicit_flow_enabled && !client.direct_access_grants_enabled
      && !client.full_scope_allowed && client.pkce_code_challenge_method == "S256" && client.client_secret_wo_version == "1"
    ])
    error_message = "A confidential client has a flow for people, full scope, or a secret that is not write-only."
  }
  assert {
    condition     = !keycloak_openid_client.confidential["mcp-server"].service_accounts_enabled && keycloak_openid_client.confidential["mcp-server"].standard_token_exchange_enabled
    error_message = "The service can get a token of its own, or cannot exchange one."
  }
  assert {
    condition     = setintersection(keycloak_openid_client_default_scopes.confidential["mcp-reader"].default_scopes, ["mcp:read", "mcp:write", "mcp:infer"]) == toset(["mcp:read"])
    error_message = "mcp-reader holds more or less than mcp:read."
  }
  assert {
    condition     = keycloak_openid_client_default_scopes.account["terraform"].default_scopes == toset(["basic", "roles", "service_account", "mcp-declared"])
    error_message = "Terraform's account has scopes of the MCP service."
  }
}

run "every_token_has_the_audience" {
  command = plan

  assert {
    condition = length(keycloak_openid_audience_protocol_mapper.resource) == 4 && alltrue([
      for mapper in values(keycloak_openid_audience_protocol_mapper.resource) :
      mapper.included_custom_audience == "https://mcp.example.com/mcp" && mapper.add_to_access_token && !mapper.add_to_id_token
    ])
    error_message = "The audience is not the canonical MCP URL, or is in the ID token as well."
  }
  assert {
    condition = alltrue([for scopes in concat(
      [keycloak_realm_default_client_scopes.main.default_scopes],
      [for client in values(keycloak_openid_client_default_scopes.public) : client.default_scopes],
      [for name, client in keycloak_openid_client_default_scopes.confidential : client.default_scopes if name != "mcp-server"],
    ) : contains(scopes, "mcp-audience")])
    error_message = "A class of clients gets tokens without the audience."
  }
}

run "the_service_exchanges_for_other_apis_only" {
  command = plan

  assert {
    condition = (
      keycloak_openid_client_default_scopes.confidential["mcp-server"].default_scopes == toset(["basic", "mcp-declared", "downstream-api-audience"])
      && keycloak_openid_client_optional_scopes.confidential["mcp-server"].optional_scopes == toset(["mcp:read"])
    )
    error_message = "An exchanged token carries more than the contract says."
  }
  assert {
    condition = (
      keycloak_openid_client.downstream["downstream-api"].access_type == "BEARER-ONLY"
      && !keycloak_openid_client.downstream["downstream-api"].full_scope_allowed
      && keycloak_openid_audience_protocol_mapper.downstream["downstream-api"].included_client_audience == "downstream-api"
    )
    error_message = "The other API can do more than be an audience."
  }
}

run "registration_is_closed" {
  command = plan

  assert {
    condition     = length(keycloak_realm_client_registration_policy.main) == 12
    error_message = "Not all registration policies are declared."
  }
  assert {
    condition     = keycloak_realm_client_registration_policy.main["anonymous/trusted-hosts"].config["trusted-hosts"] == "closed.invalid"
    error_message = "A host is trusted although the contract closes registration."
  }
  assert {
    condition     = keycloak_realm_optional_client_scopes.main.optional_scopes == toset(["mcp:read", "mcp:write", "mcp:infer"])
    error_message = "The realm's optional scopes are not the scopes of the contract."
  }
}

run "undeclared_clients_are_held_short" {
  command = plan

  assert {
    condition = alltrue([for scopes in concat(
      [for client in values(keycloak_openid_client_default_scopes.public) : client.default_scopes],
      [for client in values(keycloak_openid_client_default_scopes.confidential) : client.default_scopes],
      [for scopes in values(keycloak_openid_client_default_scopes.account) : scopes.default_scopes],
    ) : contains(scopes, "mcp-declared")])
    error_message = "A declared client lacks the marker of declared clients, so that its grant would be refused."
  }
  assert {
    condition     = !contains(keycloak_realm_default_client_scopes.main.default_scopes, "mcp-declared") && !contains(keycloak_realm_optional_client_scopes.main.optional_scopes, "mcp-declared")
    error_message = "A client that registers by itself would count as declared."
  }
  assert {
    condition     = length(keycloak_realm_client_policy_profile.metadata_documents) == 0 && length(keycloak_realm_client_policy_profile_policy.metadata_documents) == 0
    error_message = "Metadata documents are judged although the contract closes them."
  }
  assert {
    condition     = [for executor in keycloak_realm_client_policy_profile.registration.executor : executor.name] == ["secure-client-uris-pattern", "secure-client-uris-pattern", "secure-client-uris-pattern"]
    error_message = "The URIs of clients that register are not judged."
  }
}
