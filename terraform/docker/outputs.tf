output "containers" {
  description = "Name of the container by part; edge is null where the host has it."
  value = {
    edge     = one(module.edge[*].name)
    keycloak = module.keycloak.name
    postgres = module.postgres.name
    redis    = module.redis.name
    service  = module.service.name
  }
}

output "issuer" {
  description = "Issuer of the realm."
  value       = local._issuer
}

output "mcp_url" {
  description = "URL to give to MCP clients."
  value       = "${var.public_url}/mcp"
}

output "operator_url" {
  description = "Keycloak with its administration, for this machine only."
  value       = local._operator_url
}
