module "edge" {
  source = "./task"

  name              = "${local._prefix}-edge"
  part              = "edge"
  image             = local._images.edge
  labels            = local._labels
  limits            = var.limits.edge
  user              = module.common.users.edge
  replicas          = var.replicas.edge
  replicas_per_node = 1
  constraints       = local._on_edge

  command   = ["bash", "/etc/nginx/edge/edge.sh"]
  arguments = ["service", "keycloak"]

  configs = {
    for key, config in docker_config.this : "/etc/nginx/edge/${trimprefix(key, "edge/")}" => { id = config.id, name = config.name }
    if startswith(key, "edge/")
  }
  secrets = var.secrets.edge
  tmpfs   = { "/tmp" = 64 }
  # What was sent to a node that is gone ends after 13 to 26 s, not after 15 minutes.
  sysctls = {
    "net.ipv4.tcp_keepalive_intvl"  = "2"
    "net.ipv4.tcp_keepalive_probes" = "3"
    "net.ipv4.tcp_keepalive_time"   = "4"
    "net.ipv4.tcp_retries2"         = "5"
  }

  healthcheck = {
    test = ["CMD", "bash", "-c", join("; ", [
      "exec 3<>/dev/tcp/127.0.0.1/8081",
      "printf 'GET /healthz HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' >&3",
      "read -r status <&3",
      "[[ $status == *' 200 '* ]]",
    ])]
    start_period = "30s"
  }
  networks = [for name in ["edge", "front", "auth"] : docker_network.this[name].id]
  ports = merge(
    { 8080 = var.ports.http, 8443 = var.ports.https },
    module.common.auth_listen == 8443 ? {} : { (module.common.auth_listen) = var.ports.auth },
  )
  order       = "stop-first" # two cannot have the same port of a node
  stop_signal = "SIGQUIT"    # requests under way end first

  depends_on = [module.keycloak, module.service]
}
