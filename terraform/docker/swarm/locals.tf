locals {
  _prefix = "secure-mcp-${var.environment}"
  _labels = { "secure-mcp.environment" = var.environment }

  # edge leads out. In front and auth whoever is not an edge is what the edge speaks to: forwarded headers are believed
  # from these two, and each has one kind of listener. app: the service asks Keycloak. data: the stores.
  _subnets = { for index, name in ["edge", "front", "auth", "app", "data"] : name => cidrsubnet(var.network, 3, index) }

  _registry = var.registry == null ? "" : "${var.registry}/"
  _images   = { for part, name in module.common.images : part => "${local._registry}${name}@${lookup(var.image_digests, part, "")}" }

  # Node labels: where the stores are, with their volumes; which nodes have the public address.
  _on_data = ["node.labels.secure-mcp-data == true"]
  _on_edge = ["node.labels.secure-mcp-edge == true"]

  _management_port = 9464
}

module "common" {
  source = "../common"

  ecdh_curve          = var.ecdh_curve
  keycloak_image      = var.keycloak_image
  keycloak_public_url = var.keycloak_public_url
  ports               = var.ports
  public_url          = var.public_url
  rates               = var.rates
  realm_name          = var.realm_name
  service_image       = var.service_image

  edge = {
    health_listen    = "127.0.0.1:8081"
    keycloak_address = "keycloak:8080"
    # Another task is asked when one does not take the connection; a call that was sent is not sent again, except a GET.
    # Probes end what waits for a node that is gone.
    next_upstream = "error timeout;\nproxy_next_upstream_tries 3;\nproxy_socket_keepalive on"
    # On no network: `secure-mcp swarm door` reaches it through the engine.
    operator_listens = "listen 127.0.0.1:9443 ssl;"
    peer_failures    = "max_fails=1 fail_timeout=5s"
    service_address  = "service:8000"
    # A kept connection to a node that is gone would swallow the call that is sent into it.
    upstream_connection = "close"
  }
}
