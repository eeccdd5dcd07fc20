locals {
  _prefix    = "secure-mcp-${var.environment}"
  _edge_here = var.edge == "container"
  _labels    = { "secure-mcp.environment" = var.environment }

  # Fixed addresses: Nginx starts before and outlives its upstreams, and Keycloak trusts forwarded headers of one address.
  _subnets = {
    edge = cidrsubnet(var.network, 2, 0)
    app  = cidrsubnet(var.network, 2, 1)
    data = cidrsubnet(var.network, 2, 2)
  }
  _addresses = {
    edge     = cidrhost(local._subnets.app, local._edge_here ? 10 : 1) # the host comes from the network's gateway
    keycloak = cidrhost(local._subnets.app, 11)
    service  = cidrhost(local._subnets.app, 12)
  }

  _management_port = 9464
  _issuer          = module.common.issuer
  _operator_url    = "https://localhost:${var.ports.operator}"

  # Secret files come into these volumes by `secure-mcp secrets install`, never through Terraform.
  _secrets = {
    for part in ["edge", "keycloak", "postgres", "redis", "service"] :
    part => { "/run/secrets" = { name = "${local._prefix}-secrets-${part}", read_only = true } }
  }
}
