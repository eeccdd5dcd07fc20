locals {
  # While there are problems, the smallest contract that has every field, so that only the problems are shown.
  _smallest = {
    scopes  = {}
    clients = {}
    registration = {
      anonymous          = "closed", trusted_hosts = [], web_origins = [], max_clients = 1, consent = true
      metadata_documents = "closed", metadata_hosts = [], unused_days = 1
    }
    lifetimes   = { for key, rule in local._defs.lifetimes.properties : key => rule.minimum }
    passwords   = { for key, rule in local._defs.passwords.properties : key => try(rule.minimum, true) }
    brute_force = { for key, rule in local._defs.brute_force.properties : key => rule.minimum }
  }
  _safe = jsondecode(length(local._problems) > 0 ? jsonencode(local._smallest) : jsonencode(local._raw))
}

output "clients" {
  description = "Clients by client_id, with every list present; empty while there are problems."
  value = { for client_id, entry in local._safe.clients : client_id => {
    kind            = entry.kind
    name            = entry.name
    description     = entry.description
    redirect_uris   = tolist(try(entry.redirect_uris, []))
    redirect_paths  = tolist(try(entry.redirect_paths, []))
    default_scopes  = tolist(try(entry.default_scopes, []))
    optional_scopes = tolist(try(entry.optional_scopes, []))
    consent         = try(entry.consent, false)
    private_key_jwt = try(entry.private_key_jwt, "")
    downstream_apis = tolist(try(entry.downstream_apis, []))
  } }
}

output "limits" {
  description = "The sections brute_force, lifetimes, passwords and registration; the smallest values while there are problems."
  value = {
    brute_force  = local._safe.brute_force
    lifetimes    = local._safe.lifetimes
    passwords    = local._safe.passwords
    registration = local._safe.registration
  }
}

output "problems" {
  description = "What is wrong, one `file:line: what; what to write instead` each; empty when the contract is in order."
  value       = local._problems
}

output "scopes" {
  description = "Scopes by name with consent text and description; empty while there are problems."
  value = { for name, entry in local._safe.scopes : name => {
    consent     = entry.consent
    description = entry.description
  } }
}
