# A wrong contract stops `terraform plan`, and nothing else fails beside it.

mock_provider "keycloak" {}

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
  environment  = "dev"
  keycloak_url = "http://localhost:8080"
  public_url   = "http://localhost:8000"
}

run "good" {
  command = plan
  variables {
    contract_path = "tests/fixtures/good.yaml"
  }
  assert {
    condition     = length(keycloak_openid_client_scope.mcp) == 2
    error_message = "The scopes of the contract are not declared."
  }
}

run "unknown_key" {
  command = plan
  variables {
    contract_path = "tests/fixtures/unknown_key.yaml"
  }
  expect_failures = [terraform_data.contract]
}

run "unknown_client_key" {
  command = plan
  variables {
    contract_path = "tests/fixtures/unknown_client_key.yaml"
  }
  expect_failures = [terraform_data.contract]
}

run "wildcard_redirect" {
  command = plan
  variables {
    contract_path = "tests/fixtures/wildcard_redirect.yaml"
  }
  expect_failures = [terraform_data.contract]
}

run "http_redirect" {
  command = plan
  variables {
    contract_path = "tests/fixtures/http_redirect.yaml"
  }
  expect_failures = [terraform_data.contract]
}

run "fragment_redirect" {
  command = plan
  variables {
    contract_path = "tests/fixtures/fragment_redirect.yaml"
  }
  expect_failures = [terraform_data.contract]
}

run "unknown_scope" {
  command = plan
  variables {
    contract_path = "tests/fixtures/unknown_scope.yaml"
  }
  expect_failures = [terraform_data.contract]
}

run "scope_cycle" {
  command = plan
  variables {
    contract_path = "tests/fixtures/scope_cycle.yaml"
  }
  expect_failures = [terraform_data.contract]
}

run "lifetime_bounds" {
  command = plan
  variables {
    contract_path = "tests/fixtures/lifetime_bounds.yaml"
  }
  expect_failures = [terraform_data.contract]
}

run "lifetime_order" {
  command = plan
  variables {
    contract_path = "tests/fixtures/lifetime_order.yaml"
  }
  expect_failures = [terraform_data.contract]
}

run "password_bounds" {
  command = plan
  variables {
    contract_path = "tests/fixtures/password_bounds.yaml"
  }
  expect_failures = [terraform_data.contract]
}

run "brute_force_bounds" {
  command = plan
  variables {
    contract_path = "tests/fixtures/brute_force_bounds.yaml"
  }
  expect_failures = [terraform_data.contract]
}

run "wrong_type" {
  command = plan
  variables {
    contract_path = "tests/fixtures/wrong_type.yaml"
  }
  expect_failures = [terraform_data.contract]
}

run "missing_section" {
  command = plan
  variables {
    contract_path = "tests/fixtures/missing_section.yaml"
  }
  expect_failures = [terraform_data.contract]
}

run "service_account_redirect" {
  command = plan
  variables {
    contract_path = "tests/fixtures/service_account_redirect.yaml"
  }
  expect_failures = [terraform_data.contract]
}

run "no_redirect" {
  command = plan
  variables {
    contract_path = "tests/fixtures/no_redirect.yaml"
  }
  expect_failures = [terraform_data.contract]
}

run "not_a_mapping" {
  command = plan
  variables {
    contract_path = "tests/fixtures/not_a_mapping.yaml"
  }
  expect_failures = [terraform_data.contract]
}

run "registration_for_nobody" {
  command = plan
  variables {
    contract_path = "tests/fixtures/registration_for_nobody.yaml"
  }
  expect_failures = [terraform_data.contract]
}

run "registration_two_ways" {
  command = plan
  variables {
    contract_path = "tests/fixtures/registration_two_ways.yaml"
  }
  expect_failures = [terraform_data.contract]
}

run "metadata_host" {
  command = plan
  variables {
    contract_path = "tests/fixtures/metadata_host.yaml"
  }
  expect_failures = [terraform_data.contract]
}
