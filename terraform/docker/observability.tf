# The optional part: Prometheus, Alertmanager, Grafana, and the exporter for Nginx. It is there when `observability` is set.
locals {
  _observed = var.observability == null ? {} : { this = var.observability }
  _observe = {
    prometheus = "10005:10005"
    alerts     = "10006:10006"
    grafana    = "10007:10007"
    nginx      = "10008:10008"
  }
  # The dot of a name survives the way into a container, a folder does not.
  _dashboards = { for name in fileset("${path.module}/observability/dashboards", "*.json") :
  name => file("${path.module}/observability/dashboards/${name}") }
}

# Between Prometheus, Alertmanager and Grafana. Prometheus is in `app`, too, where service and Keycloak are.
resource "docker_network" "observe" {
  for_each = local._observed

  name     = "${local._prefix}-observe"
  driver   = "bridge"
  internal = true

  ipam_config {
    subnet  = cidrsubnet(var.network, 2, 3)
    gateway = cidrhost(cidrsubnet(var.network, 2, 3), 1)
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
  for_each = local._observed

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
    "--web.enable-lifecycle=false",
  ]
  files_path = "/etc/observability"
  files = {
    "alerts.yml" = file("${path.module}/observability/alerts.yml")
    "prometheus.yml" = templatefile("${path.module}/observability/prometheus.yml", {
      alertmanager = "alertmanager:9093"
      interval     = "15s"
      keycloak     = "keycloak:9000"
      nginx        = "nginx-exporter:9113"
      nodes        = jsonencode(each.value.node_exporters)
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
    webhooks = jsonencode([for url in compact([each.value.webhook_url]) : { url = url }])
  }) }

  volumes     = { "/alertmanager" = { name = docker_volume.observe["alerts"].name, read_only = false } }
  tmpfs       = { "/tmp" = "16m" }
  healthcheck = { test = ["CMD", "bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/9093"] }
  networks    = [{ name = docker_network.observe["this"].name, aliases = ["alertmanager"] }]
}
