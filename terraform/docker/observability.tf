# The optional part: Prometheus, Alertmanager, Grafana and exporters. It is there when `observability` is set.
locals {
  _observed = var.observability == null ? {} : { this = var.observability }
  _shown    = try(var.observability.grafana, false) ? local._observed : {}
  _observe = {
    prometheus = "10005:10005"
    alerts     = "10006:10006"
    grafana    = "10007:10007"
    nginx      = "10008:10008"
    redis      = "10009:10009"
    postgres   = "10010:10010"
  }
  _webhook = try(var.observability.webhook_url, null)
  # The network's last quarter: who looks at whom, and Alertmanager's way out.
  _subnet_observe = cidrsubnet(var.network, 3, 6)
  _subnet_tell    = cidrsubnet(var.network, 3, 7)
  # The dot of a name survives the way into a container, a folder does not.
  _dashboards = { for name in fileset("${path.module}/observability/dashboards", "*.json") :
  name => file("${path.module}/observability/dashboards/${name}") }
}

# Between Prometheus, Alertmanager, Grafana and exporters. Prometheus is in `app`, too, where service and Keycloak are.
resource "docker_network" "observe" {
  for_each = local._observed

  name     = "${local._prefix}-observe"
  driver   = "bridge"
  internal = true

  ipam_config {
    subnet  = local._subnet_observe
    gateway = cidrhost(local._subnet_observe, 1)
  }

  dynamic "labels" {
    for_each = local._labels
    content {
      label = labels.key
      value = labels.value
    }
  }
}

# The only network of the stack that leads out: Alertmanager tells a webhook. Nothing is published in it.
resource "docker_network" "tell" {
  count = local._webhook == null ? 0 : 1

  name     = "${local._prefix}-tell"
  driver   = "bridge"
  internal = false

  ipam_config {
    subnet  = local._subnet_tell
    gateway = cidrhost(local._subnet_tell, 1)
  }

  dynamic "labels" {
    for_each = local._labels
    content {
      label = labels.key
      value = labels.value
    }
  }
}

resource "docker_volume" "observe" {
  for_each = toset(var.observability == null ? [] : ["prometheus", "alerts"])

  name = "${local._prefix}-${each.key}"

  dynamic "labels" {
    for_each = local._labels
    content {
      label = labels.key
      value = labels.value
    }
  }
}

resource "docker_image" "grafana" {
  for_each = local._shown

  name         = each.value.grafana_image
  keep_locally = true
}

resource "docker_image" "observability" {
  for_each = local._observed

  name         = each.value.image
  keep_locally = true
}

module "prometheus" {
  source   = "./container"
  for_each = local._observed

  name   = "${local._prefix}-prometheus"
  part   = "prometheus"
  image  = docker_image.observability["this"].image_id
  labels = local._labels
  limits = each.value.limits
  user   = local._observe.prometheus

  entrypoint = ["prometheus"]
  command = [
    "--config.file=/etc/observability/prometheus.yml",
    "--storage.tsdb.path=/prometheus",
    "--storage.tsdb.retention.time=${each.value.retention}",
  ]
  files_path = "/etc/observability"
  files = {
    "alerts.yml" = file("${path.module}/observability/alerts.yml")
    "prometheus.yml" = templatefile("${path.module}/observability/prometheus.yml", {
      alertmanager = "alertmanager:9093"
      interval     = each.value.interval
      keycloak     = "keycloak:9000"
      nginx        = jsonencode(local._edge_here ? ["nginx-exporter:9113"] : each.value.nginx_exporters)
      nodes        = jsonencode(each.value.node_exporters)
      postgres     = "postgres-exporter:9187"
      redis        = "redis-exporter:9121"
      rules        = "/etc/observability/alerts.yml"
      service      = "service:${local._management_port}"
    })
  }

  volumes     = { "/prometheus" = { name = docker_volume.observe["prometheus"].name, read_only = false } }
  tmpfs       = { "/tmp" = "16m" }
  healthcheck = { test = ["CMD", "bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/9090"] }
  networks = [
    { name = docker_network.app.name },
    { name = docker_network.observe["this"].name, aliases = ["prometheus"] },
  ]
}

module "alertmanager" {
  source   = "./container"
  for_each = local._observed

  name   = "${local._prefix}-alertmanager"
  part   = "alertmanager"
  image  = docker_image.observability["this"].image_id
  labels = local._labels
  limits = each.value.limits
  user   = local._observe.alerts

  entrypoint = ["prometheus-alertmanager"]
  command = [
    "--config.file=/etc/observability/alertmanager.yml",
    "--storage.path=/alertmanager",
    "--cluster.listen-address=",
  ]
  files_path = "/etc/observability"
  files = { "alertmanager.yml" = templatefile("${path.module}/observability/alertmanager.yml", {
    webhooks = jsonencode([for url in compact([local._webhook]) : { url = url }])
  }) }

  volumes     = { "/alertmanager" = { name = docker_volume.observe["alerts"].name, read_only = false } }
  tmpfs       = { "/tmp" = "16m" }
  healthcheck = { test = ["CMD", "bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/9093"] }
  dns         = local._webhook == null ? ["127.0.0.1"] : null
  networks = concat(
    [{ name = docker_network.observe["this"].name, aliases = ["alertmanager"] }],
    [for network in docker_network.tell : { name = network.name, aliases = [] }],
  )
}
