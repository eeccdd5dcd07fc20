output "audience" {
  description = "Audience of every access token: the canonical URL of the MCP endpoint."
  value       = local._audience
}

output "client_ids" {
  description = "Every declared client."
  value       = sort(concat(keys(local._clients), keys(local._accounts)))
}

output "issuer" {
  description = "Issuer of every token; discovery is below it."
  value       = local._issuer
}

output "realm" {
  description = "Name of the realm."
  value       = keycloak_realm.main.realm
}

output "scopes" {
  description = "Scopes that a client may ask for."
  value       = keys(module.contract.scopes)
}
