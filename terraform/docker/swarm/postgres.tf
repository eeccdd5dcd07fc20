# On one node, with its volume: the name that it has on one engine, so that an engine which becomes a node keeps its data.
module "postgres" {
  source = "./task"

  name        = "${local._prefix}-postgres"
  part        = "postgres"
  image       = local._images.postgres
  labels      = local._labels
  limits      = var.limits.postgres
  user        = module.common.users.postgres
  constraints = local._on_data

  command = ["docker-entrypoint.sh"]
  arguments = [
    "postgres",
    "-c", "password_encryption=scram-sha-256",
    "-c", "max_connections=100",
    "-c", "shared_buffers=${floor(var.limits.postgres.memory / 4)}MB",
    "-c", "log_connections=off",
    "-c", "log_min_duration_statement=1000",
    "-c", "statement_timeout=60s",
    "-c", "idle_in_transaction_session_timeout=120s",
  ]
  environment = {
    POSTGRES_DB               = "postgres"
    POSTGRES_USER             = "postgres"
    POSTGRES_PASSWORD_FILE    = "/run/secrets/postgres_admin_password"
    POSTGRES_INITDB_ARGS      = "--auth=scram-sha-256 --data-checksums"
    POSTGRES_HOST_AUTH_METHOD = "scram-sha-256"
  }

  configs = {
    "/docker-entrypoint-initdb.d/keycloak.sh" = {
      id   = docker_config.this["postgres/keycloak.sh"].id
      name = docker_config.this["postgres/keycloak.sh"].name
    }
  }
  secrets = var.secrets.postgres
  volumes = { "/var/lib/postgresql/data" = "${local._prefix}-postgres" }
  tmpfs   = { "/tmp" = 16, "/var/run/postgresql" = 1 }

  healthcheck = { test = ["CMD", "pg_isready", "-q", "-h", "127.0.0.1", "-U", "keycloak", "-d", "keycloak"] }
  networks    = [docker_network.this["data"].id]
  order       = "stop-first" # two servers on one data folder would destroy it
  stop_signal = "SIGINT"     # "fast": ends sessions
  stop_period = "1m"
}
