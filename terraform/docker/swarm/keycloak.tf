module "keycloak" {
  source = "./task"

  name     = "${local._prefix}-keycloak"
  part     = "keycloak"
  image    = local._images.keycloak
  labels   = local._labels
  limits   = var.limits.keycloak
  user     = module.common.users.keycloak
  replicas = var.replicas.keycloak

  arguments = ["--config-file=/run/secrets/keycloak.conf", "start", "--optimized"]
  environment = {
    KC_DB_URL           = "jdbc:postgresql://postgres:5432/keycloak"
    KC_DB_USERNAME      = "keycloak"
    KC_DB_POOL_MAX_SIZE = tostring(floor(80 / (var.replicas.keycloak + 1))) # one more lives during an update
    # A cluster whose members find each other in the database and speak TLS with each other (Keycloak's defaults).
    KC_CACHE                               = "ispn"
    KC_CACHE_EMBEDDED_NETWORK_BIND_ADDRESS = "match-address:${local._data_pattern}"
    KC_BOOTSTRAP_ADMIN_CLIENT_ID           = "bootstrap-admin"
    KC_HOSTNAME                            = var.keycloak_public_url
    KC_HOSTNAME_ADMIN                      = "https://localhost:${var.ports.operator}"
    KC_HOSTNAME_BACKCHANNEL_DYNAMIC        = "true"
    KC_HTTP_ENABLED                        = "true"
    KC_PROXY_HEADERS                       = "xforwarded"
    KC_PROXY_TRUSTED_ADDRESSES             = local._subnets.auth
    KC_SHUTDOWN_TIMEOUT                    = "10s"
    KC_LOG_CONSOLE_OUTPUT                  = "json"

    KC_SPI_EVENTS_LISTENER__JBOSS_LOGGING__SUCCESS_LEVEL = "info"
    # As in ../keycloak.tf.
    KC_SPI_CONNECTIONS_JPA__QUARKUS__ASYNC_COMMIT = "false"
  }

  secrets = var.secrets.keycloak
  tmpfs   = { "/tmp" = 64, "/opt/keycloak/data" = 64 }

  # A Swarm kills what is not healthy, so this asks less than readiness does. That is down for more than half a minute
  # where a member of the cluster died (the others serve on), and where the database is away (a restart brings it not back).
  healthcheck = {
    test = ["CMD", "bash", "-c", join("; ", [
      "exec 3<>/dev/tcp/127.0.0.1/9000",
      "printf 'GET /health/ready HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' >&3",
      "read -r -d '' said <&3",
      "[[ $${said//[[:space:]]/} == *'\"KeycloakInitialized\",\"status\":\"UP\"'* ]]",
    ])]
    retries      = 6
    start_period = "9m"
  }
  networks = [for name in ["auth", "app", "data"] : docker_network.this[name].id]
  wait     = "12m"

  depends_on = [module.postgres]
}

locals {
  # A /27 or larger of the network data, as the pattern of JGroups: of a /27 the first three numbers and 32 last ones.
  _data_bytes   = split(".", cidrhost(local._subnets.data, 0))
  _data_pattern = "${join("\\.", slice(local._data_bytes, 0, 3))}\\.(${join("|", [for host in range(32) : tonumber(local._data_bytes[3]) + host])})"
}
