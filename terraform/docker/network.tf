# edge: only Nginx, published ports. app: Nginx, Keycloak, service. data: the stores and whoever uses them.
resource "docker_network" "edge" {
  # Grafana is published in it as well.
  count = local._edge_here || var.observability != null ? 1 : 0

  name     = "${local._prefix}-edge"
  driver   = "bridge"
  internal = false
  options = {
    "com.docker.network.bridge.enable_icc" = "false"
    # Nothing in here begins a connection to the outside.
    "com.docker.network.bridge.enable_ip_masquerade" = "false"
  }

  ipam_config {
    subnet  = local._subnets.edge
    gateway = cidrhost(local._subnets.edge, 1)
  }

  dynamic "labels" {
    for_each = local._labels
    content {
      label = labels.key
      value = labels.value
    }
  }
}

resource "docker_network" "app" {
  name     = "${local._prefix}-app"
  driver   = "bridge"
  internal = true

  ipam_config {
    subnet  = local._subnets.app
    gateway = cidrhost(local._subnets.app, 1)
  }

  dynamic "labels" {
    for_each = local._labels
    content {
      label = labels.key
      value = labels.value
    }
  }
}

resource "docker_network" "data" {
  name     = "${local._prefix}-data"
  driver   = "bridge"
  internal = true

  ipam_config {
    subnet  = local._subnets.data
    gateway = cidrhost(local._subnets.data, 1)
  }

  dynamic "labels" {
    for_each = local._labels
    content {
      label = labels.key
      value = labels.value
    }
  }
}
