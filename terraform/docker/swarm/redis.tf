locals {
  _redis = <<-EOT
    # Users: service, monitor.
    aclfile /run/secrets/redis_users.acl
    save ""
    appendonly no
    dir /data
    maxmemory ${floor(var.limits.redis.memory / 2)}mb
    maxmemory-policy allkeys-lru
  EOT
}

# One, for keys and revocations that all tasks of the service share. What it holds can be fetched again, so without a
# volume it may move to another node when its own is lost.
module "redis" {
  source = "./task"

  name   = "${local._prefix}-redis"
  part   = "redis"
  image  = local._images.redis
  labels = local._labels
  limits = var.limits.redis
  user   = module.common.users.redis

  command   = ["redis-server"]
  arguments = ["/etc/redis.conf"] # the folder /etc/redis of some images is closed to other users
  configs = {
    "/etc/redis.conf" = {
      id   = docker_config.this["redis/redis.conf"].id
      name = docker_config.this["redis/redis.conf"].name
    }
  }
  secrets = var.secrets.redis
  tmpfs   = { "/data" = 8 }

  healthcheck = { test = ["CMD-SHELL", "redis-cli ping 2>&1 | grep -q NOAUTH"], start_period = "10s" }
  networks    = [docker_network.this["data"].id]
  order       = "stop-first" # two at once would each know half of what was revoked
}
