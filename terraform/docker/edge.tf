module "common" {
  source = "./common"

  ecdh_curve          = var.ecdh_curve
  keycloak_image      = var.keycloak_image
  keycloak_public_url = var.keycloak_public_url
  ports               = var.ports
  public_url          = var.public_url
  rates               = var.rates
  realm_name          = var.realm_name
  service_image       = var.service_image

  edge = {
    health_listen    = var.observability == null ? "127.0.0.1:8081" : "8081" # for the exporter; not published
    keycloak_address = "${local._addresses.keycloak}:8080"
    # One container each: there is no other to ask, and connections to it are kept.
    next_upstream       = "off"
    operator_listens    = "listen 9443 ssl;"
    peer_failures       = "max_fails=0"
    service_address     = "${local._addresses.service}:8000"
    upstream_connection = "\"\""
  }
}

module "edge" {
  source = "./container"
  count  = local._edge_here ? 1 : 0

  name   = "${local._prefix}-edge"
  part   = "edge"
  image  = docker_image.this["edge"].image_id
  labels = local._labels
  limits = var.limits.edge
  user   = module.common.users.edge

  entrypoint = ["nginx"]
  command    = ["-c", "/etc/nginx/edge/nginx.conf", "-g", "daemon off;"]

  files_path = "/etc/nginx/edge"
  files      = module.common.edge_files

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
    module.common.auth_listen == 8443 ? [] : [{ internal = module.common.auth_listen, external = var.ports.auth, address = var.bind_address }],
  )
  stop_signal = "SIGQUIT" # requests under way end first

  depends_on = [module.keycloak, module.service]
}
