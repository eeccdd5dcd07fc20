resource "docker_volume" "postgres" {
  name = "${local._prefix}-postgres"

  dynamic "labels" {
    for_each = local._labels
    content {
      label = labels.key
      value = labels.value
    }
  }
}

# `prevent_destroy` takes no variable, so the guard of an environment's data is this: it depends on everything, is
# therefore destroyed first, and refuses while its input says so. Lift it by an apply with deletion_protection = false.
resource "terraform_data" "protection" {
  input = var.deletion_protection

  provisioner "local-exec" {
    when    = destroy
    command = self.input ? "echo 'This environment is protected. Apply deletion_protection = false first, then destroy.' >&2; exit 1" : "true"
  }

  depends_on = [docker_volume.postgres, module.edge, module.keycloak, module.postgres, module.redis, module.service]
}
