module "keycloak" {
  source = "./container"

  name   = "${local._prefix}-keycloak"
  part   = "keycloak"
  image  = docker_image.this["keycloak"].image_id
  labels = local._labels
  limits = var.limits.keycloak
  user   = module.common.users.keycloak

  # Keycloak reads no *_FILE variables: password and bootstrap secret stand in this file.
  command = ["--config-file=/run/secrets/keycloak.conf", "start", "--optimized"]
  environment = {
    KC_DB_URL                       = "jdbc:postgresql://postgres:5432/keycloak"
    KC_DB_USERNAME                  = "keycloak"
    KC_DB_POOL_MAX_SIZE             = "40"
    KC_CACHE                        = "local" # one node: no ports for a cluster
    KC_BOOTSTRAP_ADMIN_CLIENT_ID    = "bootstrap-admin"
    KC_HOSTNAME                     = var.keycloak_public_url
    KC_HOSTNAME_ADMIN               = local._operator_url
    KC_HOSTNAME_BACKCHANNEL_DYNAMIC = "true" # the service fetches keys inside, the issuer stays public
    KC_HTTP_ENABLED                 = "true" # TLS ends at the edge
    KC_PROXY_HEADERS                = "xforwarded"
    KC_PROXY_TRUSTED_ADDRESSES      = local._addresses.edge
    KC_LOG_CONSOLE_OUTPUT           = "json"
    # Keycloak writes failed events to its log; this adds those that succeeded.
    KC_SPI_EVENTS_LISTENER__JBOSS_LOGGING__SUCCESS_LEVEL = "info"
    # Else what a login has written may be gone when PostgreSQL dies right after it: docs/faults.md has the figures.
    KC_SPI_CONNECTIONS_JPA__QUARKUS__ASYNC_COMMIT = "false"
  }

  volumes = local._secrets.keycloak
  tmpfs = {
    "/tmp"               = "64m"
    "/opt/keycloak/data" = "64m"
  }

  # The image has no curl. 9000 is the management port, which is published nowhere.
  healthcheck = {
    test = ["CMD", "bash", "-c", join("; ", [
      "exec 3<>/dev/tcp/127.0.0.1/9000",
      "printf 'GET /health/ready HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' >&3",
      "read -r status <&3",
      "[[ $status == *' 200 '* ]]",
    ])]
    interval     = "5s"
    start_period = "9m0s" # the first start makes the database; with 18 others on two cores more than 5 minutes
    retries      = 6
  }
  networks = [
    { name = docker_network.app.name, aliases = ["keycloak"], address = local._addresses.keycloak },
    { name = docker_network.data.name },
  ]
  wait_seconds = 600

  # Started before its database it would stay unhealthy.
  depends_on = [module.postgres]
}
