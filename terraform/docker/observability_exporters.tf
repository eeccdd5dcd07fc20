# What fetches the numbers of Nginx, Redis and PostgreSQL. The accounts of the last two may look and nothing else;
# their passwords come into volumes by `secure-mcp secrets install`, as those of the other containers.
locals {
  _exporter_limits = { memory = 64, cpus = 0.5, processes = 32 }
}

module "nginx_exporter" {
  source   = "./container"
  for_each = local._edge_here ? local._observed : {}

  name   = "${local._prefix}-nginx-exporter"
  part   = "nginx-exporter"
  image  = docker_image.observability["this"].image_id
  labels = local._labels
  limits = local._exporter_limits
  user   = local._observe.nginx

  entrypoint  = ["prometheus-nginx-exporter"]
  command     = ["--nginx.scrape-uri=http://${local._addresses.edge}:8081/stub_status"]
  healthcheck = { test = ["CMD", "bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/9113"] }
  networks    = [{ name = docker_network.app.name, aliases = ["nginx-exporter"] }]

  depends_on = [module.edge]
}

module "redis_exporter" {
  source   = "./container"
  for_each = local._observed

  name   = "${local._prefix}-redis-exporter"
  part   = "redis-exporter"
  image  = docker_image.observability["this"].image_id
  labels = local._labels
  limits = local._exporter_limits
  user   = local._observe.redis

  entrypoint = ["prometheus-redis-exporter"]
  command = [
    "-redis.addr=redis://redis:6379",
    "-redis.user=monitor",
    "-redis.password-file=/run/secrets/passwords.json",
    # The file names the address as redis://monitor@redis:6379. The account may say PING and INFO: what asks for more is off.
    "-config-command=-",
    "-set-client-name=false",
    "-exclude-latency-histogram-metrics",
  ]
  volumes     = { "/run/secrets" = { name = "${local._prefix}-secrets-redis-exporter", read_only = true } }
  healthcheck = { test = ["CMD", "bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/9121"] }
  networks = [
    { name = docker_network.data.name },
    { name = docker_network.observe["this"].name, aliases = ["redis-exporter"] },
  ]

  depends_on = [module.redis]
}

module "postgres_exporter" {
  source   = "./container"
  for_each = local._observed

  name   = "${local._prefix}-postgres-exporter"
  part   = "postgres-exporter"
  image  = docker_image.observability["this"].image_id
  labels = local._labels
  limits = local._exporter_limits
  user   = local._observe.postgres

  entrypoint = ["prometheus-postgres-exporter"]
  command    = ["--no-collector.stat_user_tables", "--no-collector.statio_user_tables"] # a series for each table of Keycloak
  environment = {
    DATA_SOURCE_URI       = "postgres:5432/postgres?sslmode=disable" # inside the network `data`
    DATA_SOURCE_USER      = "monitor"
    DATA_SOURCE_PASS_FILE = "/run/secrets/password"
  }
  volumes     = { "/run/secrets" = { name = "${local._prefix}-secrets-postgres-exporter", read_only = true } }
  healthcheck = { test = ["CMD", "bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/9187"] }
  networks = [
    { name = docker_network.data.name },
    { name = docker_network.observe["this"].name, aliases = ["postgres-exporter"] },
  ]

  depends_on = [module.postgres]
}
