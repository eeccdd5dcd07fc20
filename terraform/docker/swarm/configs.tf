locals {
  _configs = merge(
    { for name, text in module.common.edge_files : "edge/${name}" => text },
    {
      "edge/edge.sh"         = file("${path.module}/files/edge.sh")
      "postgres/keycloak.sh" = file("${path.module}/../files/keycloak.sh")
      "redis/redis.conf"     = local._redis
    },
  )
}

# A config never changes: new content is a new config, and its service takes it by a rolling update.
resource "docker_config" "this" {
  for_each = local._configs

  name = "${local._prefix}-${replace(each.key, "/", "-")}-${substr(sha256(each.value), 0, 12)}"
  data = base64encode(each.value)

  lifecycle {
    create_before_destroy = true
  }
}
