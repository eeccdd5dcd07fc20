module "postgres" {
  source = "./container"

  name   = "${local._prefix}-postgres"
  part   = "postgres"
  image  = docker_image.this["postgres"].image_id
  labels = local._labels
  limits = var.limits.postgres
  user   = module.common.users.postgres

  entrypoint = ["docker-entrypoint.sh"]
  command = [
    "postgres",
    "-c", "password_encryption=scram-sha-256",
    "-c", "max_connections=60",
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

  files_path = "/docker-entrypoint-initdb.d"
  files      = { "keycloak.sh" = file("${path.module}/files/keycloak.sh") }

  volumes = merge(local._secrets.postgres, {
    "/var/lib/postgresql/data" = { name = docker_volume.postgres.name, read_only = false }
  })
  tmpfs = {
    "/tmp"                = "16m"
    "/var/run/postgresql" = "1m"
  }

  # Over TCP: the server that makes the database listens on the socket only.
  healthcheck  = { test = ["CMD", "pg_isready", "-q", "-h", "127.0.0.1", "-U", "keycloak", "-d", "keycloak"] }
  networks     = [{ name = docker_network.data.name, aliases = ["postgres"] }]
  stop_signal  = "SIGINT" # "fast": ends sessions; SIGTERM would wait for Keycloak's pool
  stop_seconds = 60
}
