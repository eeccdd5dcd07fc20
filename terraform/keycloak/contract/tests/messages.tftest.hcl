# What a wrong contract is told: the text, word for word. A hint is cut off where it comes from
# access.schema.json. One file in ../tests/fixtures/ for each class of fault.

variables {
  schema = file("../../../access.schema.json")
}

run "good" {
  command = plan
  variables {
    file_name = "good.yaml"
    text      = file("../tests/fixtures/good.yaml")
  }
  assert {
    condition     = length(output.problems) == 0 && length(output.scopes) == 2 && length(output.clients) == 4
    error_message = "A contract in order is refused: ${join(", ", output.problems)}"
  }
}

run "unknown_key" {
  command = plan
  variables {
    file_name = "unknown_key.yaml"
    text      = file("../tests/fixtures/unknown_key.yaml")
  }
  assert {
    condition     = startswith(output.problems[0], "unknown_key.yaml:74: unknown key 'extra'; write one of: brute_force, clients, lifetimes, passwords, registration, scopes, version")
    error_message = join("\n", output.problems)
  }
}

run "unknown_client_key" {
  command = plan
  variables {
    file_name = "unknown_client_key.yaml"
    text      = file("../tests/fixtures/unknown_client_key.yaml")
  }
  assert {
    condition     = startswith(output.problems[0], "unknown_client_key.yaml:23: unknown key 'secret'; write one of: consent, default_scopes, description, downstream_apis, kind, name, optional_scopes, private_key_jwt, redirect_paths, redirect_uris")
    error_message = join("\n", output.problems)
  }
}

run "wildcard_redirect" {
  command = plan
  variables {
    file_name = "wildcard_redirect.yaml"
    text      = file("../tests/fixtures/wildcard_redirect.yaml")
  }
  assert {
    condition     = startswith(output.problems[0], "wildcard_redirect.yaml:20: redirect_uris 'https://app.example.com/*' is not allowed; ")
    error_message = join("\n", output.problems)
  }
}

run "http_redirect" {
  command = plan
  variables {
    file_name = "http_redirect.yaml"
    text      = file("../tests/fixtures/http_redirect.yaml")
  }
  assert {
    condition     = startswith(output.problems[0], "http_redirect.yaml:20: redirect_uris 'http://app.example.com/callback' is not allowed; ")
    error_message = join("\n", output.problems)
  }
}

run "fragment_redirect" {
  command = plan
  variables {
    file_name = "fragment_redirect.yaml"
    text      = file("../tests/fixtures/fragment_redirect.yaml")
  }
  assert {
    condition     = startswith(output.problems[0], "fragment_redirect.yaml:20: redirect_uris 'https://app.example.com/callback#x' is not allowed; ")
    error_message = join("\n", output.problems)
  }
}

run "unknown_scope" {
  command = plan
  variables {
    file_name = "unknown_scope.yaml"
    text      = file("../tests/fixtures/unknown_scope.yaml")
  }
  assert {
    condition     = startswith(output.problems[0], "unknown_scope.yaml:21: scope mcp:draw does not exist; write one of: mcp:read, mcp:write")
    error_message = join("\n", output.problems)
  }
}

run "scope_cycle" {
  command = plan
  variables {
    file_name = "scope_cycle.yaml"
    text      = file("../tests/fixtures/scope_cycle.yaml")
  }
  assert {
    condition     = startswith(output.problems[0], "scope_cycle.yaml:8: scopes imply each other: mcp:read, mcp:write; remove one `implies`")
    error_message = join("\n", output.problems)
  }
}

run "lifetime_bounds" {
  command = plan
  variables {
    file_name = "lifetime_bounds.yaml"
    text      = file("../tests/fixtures/lifetime_bounds.yaml")
  }
  assert {
    condition     = startswith(output.problems[0], "lifetime_bounds.yaml:49: access_token 3600 is not allowed; ")
    error_message = join("\n", output.problems)
  }
}

run "lifetime_order" {
  command = plan
  variables {
    file_name = "lifetime_order.yaml"
    text      = file("../tests/fixtures/lifetime_order.yaml")
  }
  assert {
    condition     = startswith(output.problems[0], "lifetime_order.yaml:54: session_max 900 is less than session_idle; write 1800 or more, or lower session_idle")
    error_message = join("\n", output.problems)
  }
}

run "password_bounds" {
  command = plan
  variables {
    file_name = "password_bounds.yaml"
    text      = file("../tests/fixtures/password_bounds.yaml")
  }
  assert {
    condition     = startswith(output.problems[0], "password_bounds.yaml:61: min_length 8 is not allowed; ")
    error_message = join("\n", output.problems)
  }
}

run "brute_force_bounds" {
  command = plan
  variables {
    file_name = "brute_force_bounds.yaml"
    text      = file("../tests/fixtures/brute_force_bounds.yaml")
  }
  assert {
    condition     = startswith(output.problems[0], "brute_force_bounds.yaml:67: max_failures 100 is not allowed; ")
    error_message = join("\n", output.problems)
  }
}

run "wrong_type" {
  command = plan
  variables {
    file_name = "wrong_type.yaml"
    text      = file("../tests/fixtures/wrong_type.yaml")
  }
  assert {
    condition     = startswith(output.problems[0], "wrong_type.yaml:49: access_token '300' has the wrong type; ")
    error_message = join("\n", output.problems)
  }
}

run "missing_section" {
  command = plan
  variables {
    file_name = "missing_section.yaml"
    text      = file("../tests/fixtures/missing_section.yaml")
  }
  assert {
    condition     = startswith(output.problems[0], "missing_section.yaml:1: the file lacks passwords; add passwords")
    error_message = join("\n", output.problems)
  }
}

run "service_account_redirect" {
  command = plan
  variables {
    file_name = "service_account_redirect.yaml"
    text      = file("../tests/fixtures/service_account_redirect.yaml")
  }
  assert {
    condition     = startswith(output.problems[0], "service_account_redirect.yaml:28: redirect_uris has no place here; ")
    error_message = join("\n", output.problems)
  }
}

run "no_redirect" {
  command = plan
  variables {
    file_name = "no_redirect.yaml"
    text      = file("../tests/fixtures/no_redirect.yaml")
  }
  assert {
    condition     = startswith(output.problems[0], "no_redirect.yaml:14: mcp-cli is incomplete; ")
    error_message = join("\n", output.problems)
  }
}

run "not_a_mapping" {
  command = plan
  variables {
    file_name = "not_a_mapping.yaml"
    text      = file("../tests/fixtures/not_a_mapping.yaml")
  }
  assert {
    condition     = startswith(output.problems[0], "not_a_mapping.yaml:1: the file has the wrong type; ")
    error_message = join("\n", output.problems)
  }
}

run "registration_for_nobody" {
  command = plan
  variables {
    file_name = "registration_for_nobody.yaml"
    text      = file("../tests/fixtures/registration_for_nobody.yaml")
  }
  assert {
    condition     = startswith(output.problems[0], "registration_for_nobody.yaml:40: anonymous is open and trusted_hosts is empty; name the hosts, or write anonymous: closed")
    error_message = join("\n", output.problems)
  }
}

run "registration_two_ways" {
  command = plan
  variables {
    file_name = "registration_two_ways.yaml"
    text      = file("../tests/fixtures/registration_two_ways.yaml")
  }
  assert {
    condition     = startswith(output.problems[0], "registration_two_ways.yaml:44: anonymous and metadata_documents are both open; write closed for one of them")
    error_message = join("\n", output.problems)
  }
}

run "metadata_host" {
  command = plan
  variables {
    file_name = "metadata_host.yaml"
    text      = file("../tests/fixtures/metadata_host.yaml")
  }
  assert {
    condition     = startswith(output.problems[0], "metadata_host.yaml:45: metadata_hosts '169.254.169.254' is not allowed; ")
    error_message = join("\n", output.problems)
  }
}

run "unused_days" {
  command = plan
  variables {
    file_name = "unused_days.yaml"
    text      = file("../tests/fixtures/unused_days.yaml")
  }
  assert {
    condition     = startswith(output.problems[0], "unused_days.yaml:46: unused_days 31 is longer than events are kept; write 30 or less, or raise lifetimes.events")
    error_message = join("\n", output.problems)
  }
}
