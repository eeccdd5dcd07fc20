locals {
  _downstream = var.downstream == null ? {} : {
    SECURE_MCP_DOWNSTREAM_URL      = var.downstream.url
    SECURE_MCP_DOWNSTREAM_AUDIENCE = var.downstream.audience
  }
  _caller_rate = var.caller_requests_per_minute == null ? {} : {
    SECURE_MCP_CALLER_REQUESTS_PER_MINUTE = tostring(var.caller_requests_per_minute)
  }
}

module "service" {
  source = "./task"

  name     = "${local._prefix}-service"
  part     = "service"
  image    = local._images.service
  labels   = local._labels
  limits   = var.limits.service
  user     = module.common.users.service
  replicas = var.replicas.service

  environment = merge(local._downstream, local._caller_rate, {
    SECURE_MCP_ENVIRONMENT         = var.environment
    SECURE_MCP_AUDIENCE            = "${var.public_url}/mcp"
    SECURE_MCP_ISSUER              = module.common.issuer
    SECURE_MCP_ISSUER_INTERNAL_URL = "http://keycloak:8080/realms/${var.realm_name}"
    SECURE_MCP_REDIS_URL_FILE      = "/run/secrets/redis_url"
    SECURE_MCP_CLIENT_SECRET_FILE  = "/run/secrets/client_secret"
    SECURE_MCP_HOST                = "0.0.0.0"
    SECURE_MCP_PORT                = "8000"
    SECURE_MCP_WORKERS             = tostring(var.workers)
    SECURE_MCP_MANAGEMENT_HOST     = "0.0.0.0"
    SECURE_MCP_MANAGEMENT_PORT     = tostring(local._management_port)
    SECURE_MCP_TRUSTED_PROXIES     = local._subnets.front
  })

  secrets = var.secrets.service
  tmpfs   = { "/tmp" = 16 }

  healthcheck = { test = ["CMD", "python", "-m", "service.healthcheck"], start_period = "1m" }
  networks    = [for name in ["front", "app", "data"] : docker_network.this[name].id]
  stop_period = "35s" # workers have 30 s for requests under way

  depends_on = [module.keycloak, module.redis]
}
