# What shows the optional part's numbers.
module "grafana" {
  source   = "./container"
  for_each = local._shown

  name   = "${local._prefix}-grafana"
  part   = "grafana"
  image  = docker_image.grafana["this"].image_id
  labels = local._labels
  limits = each.value.limits
  user   = local._observe.grafana

  entrypoint = ["bash", "-euc", join("\n", [
    "mkdir -p /tmp/provisioning/datasources /tmp/provisioning/dashboards /tmp/provisioning/plugins /tmp/provisioning/alerting",
    "cp /etc/observability/datasource.yml /tmp/provisioning/datasources/",
    "cp /etc/observability/provider.yml /tmp/provisioning/dashboards/",
    "exec /run.sh",
  ])]
  command    = []
  files_path = "/etc/observability"
  files = merge(local._dashboards, {
    "datasource.yml" = file("${path.module}/observability/datasource.yml")
    "provider.yml"   = file("${path.module}/observability/provider.yml")
  })
  # Everything is code and nothing can be changed by hand, so nobody logs in: whoever reaches the port may look.
  environment = {
    GF_ANALYTICS_CHECK_FOR_UPDATES             = "false"
    GF_ANALYTICS_REPORTING_ENABLED             = "false"
    GF_AUTH_ANONYMOUS_ENABLED                  = "true"
    GF_AUTH_ANONYMOUS_ORG_ROLE                 = "Viewer"
    GF_AUTH_BASIC_ENABLED                      = "false"
    GF_AUTH_DISABLE_LOGIN_FORM                 = "true"
    GF_PATHS_DATA                              = "/tmp/data"
    GF_PATHS_LOGS                              = "/tmp/logs"
    GF_PATHS_PLUGINS                           = "/tmp/plugins"
    GF_PATHS_PROVISIONING                      = "/tmp/provisioning"
    GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION = "true"
    GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH  = "/etc/observability/service.json"
    GF_SERVER_HTTP_PORT                        = "3000"
  }

  tmpfs       = { "/tmp" = "64m" }
  healthcheck = { test = ["CMD", "bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/3000"], start_period = "1m0s" }
  # `observe` alone leads nowhere; a port is published on a network that is not internal.
  networks = [{ name = docker_network.observe["this"].name }, { name = docker_network.edge[0].name }]
  # This machine only, as the operator's door: from elsewhere by `ssh -L`.
  ports = [{ internal = 3000, external = each.value.grafana_port, address = "127.0.0.1" }]
}
