output "issuer" {
  description = "Issuer of the realm."
  value       = module.common.issuer
}

output "mcp_url" {
  description = "URL to give to MCP clients."
  value       = "${var.public_url}/mcp"
}

output "services" {
  description = "Name of the service of the Swarm by part."
  value = {
    edge     = module.edge.name
    keycloak = module.keycloak.name
    postgres = module.postgres.name
    redis    = module.redis.name
    service  = module.service.name
  }
}
