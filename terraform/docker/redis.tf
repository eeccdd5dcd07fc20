# A cache: what it holds can be fetched again, so nothing is written to disk.
module "redis" {
  source = "./container"

  name   = "${local._prefix}-redis"
  part   = "redis"
  image  = docker_image.this["redis"].image_id
  labels = local._labels
  limits = var.limits.redis
  user   = module.common.users.redis

  entrypoint = ["redis-server"]
  command    = ["/etc/redis/redis.conf"]

  files_path = "/etc/redis"
  files = { "redis.conf" = <<-EOT
    # Users: service, monitor. A change of this line starts Redis anew, so that it reads the file again.
    aclfile /run/secrets/redis_users.acl
    save ""
    appendonly no
    dir /data
    maxmemory ${floor(var.limits.redis.memory / 2)}mb
    maxmemory-policy allkeys-lru
  EOT
  }

  volumes = local._secrets.redis
  tmpfs   = { "/data" = "8m" }

  # Asks without a password, so that none is on a command line: being turned away proves that it lives.
  healthcheck = { test = ["CMD-SHELL", "redis-cli ping 2>&1 | grep -q NOAUTH"], start_period = "10s" }
  networks    = [{ name = docker_network.data.name, aliases = ["redis"] }]
}
