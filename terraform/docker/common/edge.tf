locals {
  _hosts = { for name, url in { mcp = var.public_url, auth = var.keycloak_public_url } : name => {
    host      = regex("^https://([^:/]+)", url)[0]
    authority = trimprefix(url, "https://")
    port      = try(regex(":([0-9]+)$", url)[0], "443")
  } }

  # Where both names share a port, the container listens once for both.
  _auth_listen = var.ports.auth == var.ports.https ? 8443 : 8444
  _listens     = distinct([8443, local._auth_listen])

  # One value for each hole of the templates.
  _edge = {
    access_log               = "/dev/stdout"
    acme_challenge           = ""
    auth_authority           = local._hosts.auth.authority
    auth_host                = local._hosts.auth.host
    auth_listens             = "listen ${local._auth_listen} ssl;"
    auth_port                = local._hosts.auth.port
    burst_login              = var.rates.login.burst
    burst_mcp                = var.rates.mcp.burst
    burst_registration       = var.rates.registration.burst
    burst_token              = var.rates.token.burst
    cache_path               = "/tmp/cache"
    certificate              = "/run/secrets/tls.crt"
    certificate_key          = "/run/secrets/tls.key"
    default_listens          = join("\n    ", [for port in local._listens : "listen ${port} ssl default_server;"])
    directory                = "/etc/nginx/edge"
    ecdh_curve               = var.ecdh_curve
    health_listen            = var.edge.health_listen
    hsts_seconds             = 63072000
    http2_directive          = "http2 on;"
    http_default_listens     = "listen 8080 default_server;"
    http_listens             = "listen 8080;"
    http_names               = join(" ", distinct([for name in ["mcp", "auth"] : local._hosts[name].host]))
    https_origins            = join("\n    ", [for host, url in local._origins : "${host} ${url};"])
    keycloak_address         = var.edge.keycloak_address
    mcp_authority            = local._hosts.mcp.authority
    mcp_host                 = local._hosts.mcp.host
    mcp_listens              = "listen 8443 ssl;"
    mcp_port                 = local._hosts.mcp.port
    next_upstream            = var.edge.next_upstream
    operator_authority       = "localhost:${var.ports.operator}"
    operator_certificate     = "/run/secrets/operator.crt"
    operator_certificate_key = "/run/secrets/operator.key"
    operator_listens         = var.edge.operator_listens
    operator_port            = var.ports.operator
    peer_failures            = var.edge.peer_failures
    rate_login               = var.rates.login.rate
    rate_mcp                 = var.rates.mcp.rate
    rate_registration        = var.rates.registration.rate
    rate_token               = var.rates.token.rate
    realm                    = var.realm_name
    retry_after              = 1
    service_address          = var.edge.service_address
    streams                  = var.rates.mcp.streams
    upstream_connection      = var.edge.upstream_connection
  }
  # The MCP name wins where both are the same.
  _origins = merge(
    { (local._hosts.auth.host) = var.keycloak_public_url },
    { (local._hosts.mcp.host) = var.public_url },
  )
  _templates = "${path.module}/../../../nginx"
}
