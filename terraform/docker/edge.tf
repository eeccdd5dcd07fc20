locals {
  _hosts = { for name, url in { mcp = var.public_url, auth = var.keycloak_public_url } : name => {
    host      = regex("^https://([^:/]+)", url)[0]
    authority = trimprefix(url, "https://")
    port      = try(regex(":([0-9]+)$", url)[0], "443")
  } }

  # Where both names share a port, the container listens once for both.
  _auth_listen = var.ports.auth == var.ports.https ? 8443 : 8444
  _listens     = distinct([8443, local._auth_listen])

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
    health_listen            = var.observability == null ? "127.0.0.1:8081" : "8081" # for the exporter; not published
    hsts_seconds             = 63072000
    http2_directive          = "http2 on;"
    http_default_listens     = "listen 8080 default_server;"
    http_listens             = "listen 8080;"
    http_names               = join(" ", distinct([for name in ["mcp", "auth"] : local._hosts[name].host]))
    https_origins            = join("\n    ", [for host, url in local._origins : "${host} ${url};"])
    keycloak_address         = "${local._addresses.keycloak}:8080"
    mcp_authority            = local._hosts.mcp.authority
    mcp_host                 = local._hosts.mcp.host
    mcp_listens              = "listen 8443 ssl;"
    mcp_port                 = local._hosts.mcp.port
    operator_authority       = "localhost:${var.ports.operator}"
    operator_certificate     = "/run/secrets/operator.crt"
    operator_certificate_key = "/run/secrets/operator.key"
    operator_listens         = "listen 9443 ssl;"
    operator_port            = var.ports.operator
    rate_login               = var.rates.login.rate
    rate_mcp                 = var.rates.mcp.rate
    rate_registration        = var.rates.registration.rate
    rate_token               = var.rates.token.rate
    realm                    = var.realm_name
    retry_after              = 1
    service_address          = "${local._addresses.service}:8000"
    streams                  = var.rates.mcp.streams
  }
  # The MCP name wins where both are the same.
  _origins = merge(
    { (local._hosts.auth.host) = var.keycloak_public_url },
    { (local._hosts.mcp.host) = var.public_url },
  )
  _templates = "${path.module}/../../nginx"
}

module "edge" {
  source = "./container"
  count  = local._edge_here ? 1 : 0

  name   = "${local._prefix}-edge"
  part   = "edge"
  image  = docker_image.this["edge"].image_id
  labels = local._labels
  limits = var.limits.edge
  user   = local._users.edge

  entrypoint = ["nginx"]
  command    = ["-c", "/etc/nginx/edge/nginx.conf", "-g", "daemon off;"]

  files_path = "/etc/nginx/edge"
  files      = { for name in fileset(local._templates, "*.conf") : name => templatefile("${local._templates}/${name}", local._edge) }

  volumes = local._secrets.edge
  tmpfs   = { "/tmp" = "64m" }

  healthcheck = {
    test = ["CMD", "bash", "-c", join("; ", [
      "exec 3<>/dev/tcp/127.0.0.1/8081",
      "printf 'GET /healthz HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' >&3",
      "read -r status <&3",
      "[[ $status == *' 200 '* ]]",
    ])]
    start_period = "10s"
  }
  networks = [
    { name = docker_network.edge[0].name },
    { name = docker_network.app.name, address = local._addresses.edge },
  ]
  ports = concat(
    [
      { internal = 8080, external = var.ports.http, address = var.bind_address },
      { internal = 8443, external = var.ports.https, address = var.bind_address },
      # Administration: this machine only, whatever the environment says.
      { internal = 9443, external = var.ports.operator, address = "127.0.0.1" },
    ],
    local._auth_listen == 8443 ? [] : [{ internal = local._auth_listen, external = var.ports.auth, address = var.bind_address }],
  )
  stop_signal = "SIGQUIT" # requests under way end first

  depends_on = [module.keycloak, module.service]
}
