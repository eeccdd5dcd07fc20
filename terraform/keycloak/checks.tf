# Findings that do not stop a plan: allowed, and worth a second look. CI reads them from the plan's JSON.

check "registration_is_closed" {
  assert {
    condition     = !(local._registration_open || local._metadata_open) || var.environment == "dev"
    error_message = "Strangers may register clients in ${var.environment}; write `anonymous: closed` and `metadata_documents: closed` unless this is meant."
  }
}

check "one_key_signs" {
  assert {
    condition = length(distinct([for key in values(var.signing_keys) : "${key.algorithm} ${key.priority}" if key.active])) == length([
      for key in values(var.signing_keys) : key if key.active
    ])
    error_message = "Two active keys of one algorithm have the same priority, so that chance decides which signs; give the new one a higher priority."
  }
}

check "es256_is_ready" {
  assert {
    condition     = anytrue([for key in values(var.signing_keys) : key.algorithm == "ES256" && key.active && key.enabled])
    error_message = "No active ES256 key is left; clients that ask for ES256 get no token."
  }
}

check "realm_is_protected" {
  assert {
    condition     = var.environment != "prod" || local._deletion_protection
    error_message = "The realm of prod may be deleted by Terraform; remove deletion_protection from its values."
  }
}
