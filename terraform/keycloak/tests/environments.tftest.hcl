# What the values of an environment may not say.

mock_provider "keycloak" {
  mock_resource "keycloak_realm" {
    defaults = { id = "mcp-realm" }
  }
}

variables {
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

run "dev_may_use_http" {
  command = plan
  variables {
    environment  = "dev"
    keycloak_url = "http://localhost:8080"
    public_url   = "http://localhost:8000"
  }
  assert {
    condition     = keycloak_realm.main.ssl_required == "external" && !keycloak_realm.main.terraform_deletion_protection
    error_message = "dev is not usable on one machine."
  }
  assert {
    condition     = output.issuer == "http://localhost:8080/realms/mcp-realm" && output.audience == "http://localhost:8000/mcp"
    error_message = "Issuer or audience is not derived from the origins."
  }
}

run "prod_refuses_http_service" {
  command = plan
  variables {
    public_url = "http://mcp.example.com"
  }
  expect_failures = [terraform_data.contract]
}

run "prod_refuses_http_keycloak" {
  command = plan
  variables {
    keycloak_url = "http://auth.example.com"
  }
  expect_failures = [terraform_data.contract]
}

run "prod_refuses_ssl_external" {
  command = plan
  variables {
    ssl_required = "external"
  }
  expect_failures = [terraform_data.contract]
}

run "prod_warns_of_an_unprotected_realm" {
  command = plan
  variables {
    deletion_protection = false
  }
  expect_failures = [check.realm_is_protected]
}

run "environment_is_known" {
  command = plan
  variables {
    environment = "test"
  }
  expect_failures = [var.environment]
}

run "origin_has_no_slash_at_the_end" {
  command = plan
  variables {
    public_url = "https://mcp.example.com/"
  }
  expect_failures = [var.public_url]
}

run "realm_is_not_master" {
  command = plan
  variables {
    realm_name = "master"
  }
  expect_failures = [var.realm_name]
}

run "every_confidential_client_has_a_secret" {
  command = plan
  variables {
    client_secrets = { terraform = "not-a-secret-not-a-secret-not-a-secret" }
  }
  expect_failures = [var.client_secrets]
}

run "secrets_are_long" {
  command = plan
  variables {
    client_secrets = { auditor = "short", mcp-automation = "short", mcp-reader = "short", mcp-server = "short", terraform = "short" }
  }
  expect_failures = [var.client_secrets]
}

run "one_rs256_key_stays_active" {
  command = plan
  variables {
    signing_keys = { old = { algorithm = "RS256", active = false }, es256-1 = { algorithm = "ES256" } }
  }
  expect_failures = [var.signing_keys]
}

run "small_keys_are_refused" {
  command = plan
  variables {
    signing_keys = { rs256-1 = { algorithm = "RS256", size = 1024 } }
  }
  expect_failures = [var.signing_keys]
}

run "rotation_keeps_both_keys" {
  command = plan
  variables {
    signing_keys = {
      rs256-1 = { algorithm = "RS256", active = false }
      rs256-2 = { algorithm = "RS256", priority = 210, size = 4096 }
      es256-1 = { algorithm = "ES256" }
    }
  }
  assert {
    condition     = length(keycloak_realm_keystore_rsa_generated.signing) == 2 && !keycloak_realm_keystore_rsa_generated.signing["rs256-1"].active
    error_message = "The old key is gone, or still signs."
  }
}

run "same_priority_is_found" {
  command = plan
  variables {
    signing_keys = { a = { algorithm = "RS256" }, b = { algorithm = "RS256" }, c = { algorithm = "ES256" } }
  }
  expect_failures = [check.one_key_signs]
}

run "mail_needs_tls" {
  command = plan
  variables {
    smtp = { host = "mail.example.com", from = "no-reply@example.com", starttls = false }
  }
  expect_failures = [var.smtp]
}

run "mail_turns_on_verification" {
  command = plan
  variables {
    smtp = { host = "mail.example.com", from = "no-reply@example.com" }
  }
  assert {
    condition     = keycloak_realm.main.verify_email && keycloak_realm.main.reset_password_allowed
    error_message = "There is mail, and no verification."
  }
}

run "open_registration_is_found" {
  command = plan
  variables {
    contract_path = "tests/fixtures/open_registration.yaml"
  }
  expect_failures = [check.registration_is_closed]
}

run "open_registration_trusts_the_listed_hosts" {
  command = plan
  variables {
    environment   = "dev"
    contract_path = "tests/fixtures/open_registration.yaml"
  }
  assert {
    condition     = keycloak_realm_client_registration_policy.main["anonymous/trusted-hosts"].config["trusted-hosts"] == "localhost,vscode.dev"
    error_message = "The hosts of the contract are not the trusted hosts."
  }
  assert {
    condition     = contains(keycloak_realm_optional_client_scopes.main.optional_scopes, "offline_access")
    error_message = "A client that registers cannot ask for offline_access, which MCP clients do."
  }
}

run "open_registration_refuses_wrong_flows" {
  command = plan
  variables {
    environment   = "dev"
    contract_path = "tests/fixtures/open_registration.yaml"
  }
  assert {
    condition     = slice([for executor in keycloak_realm_client_policy_profile.registration.executor : executor.name], 3, 5) == ["reject-implicit-grant", "reject-ropc-grant"]
    error_message = "Whoever registers may ask for the implicit flow or the password grant."
  }
  assert {
    condition     = strcontains(keycloak_realm_client_policy_profile.registration.executor[1].configuration["allowed-patterns"], "^https://(vscode\\\\.dev)(")
    error_message = "Keycloak would fetch from this machine, or not from a trusted host."
  }
}

run "metadata_documents_have_profile_and_policy" {
  command = plan
  variables {
    environment   = "dev"
    contract_path = "tests/fixtures/metadata_documents.yaml"
  }
  assert {
    condition     = keycloak_realm_client_policy_profile_policy.metadata_documents["metadata-documents"].condition[0].configuration["client-id-uri-allow-permitted-domains"] == jsonencode(["vscode.dev", "claude.ai"])
    error_message = "Documents come from other hosts than those of the contract."
  }
  assert {
    condition     = keycloak_realm_client_policy_profile.metadata_documents["metadata-documents"].executor[0].configuration["cimd-allow-http-scheme"] == "false"
    error_message = "A document may come by plain http."
  }
  assert {
    condition     = keycloak_realm_client_policy_profile_policy.self_registered.condition[0].configuration["update-client-source"] == jsonencode(["ByInitialAccessToken", "ByRegistrationAccessToken"])
    error_message = "The policy of registration would fail at each document."
  }
}

run "metadata_documents_are_found" {
  command = plan
  variables {
    contract_path = "tests/fixtures/metadata_documents.yaml"
  }
  expect_failures = [check.registration_is_closed]
}
