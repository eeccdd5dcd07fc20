# As on one engine (../volumes.tf). The volume of PostgreSQL is the node's own and outlives a destroy in any case.
resource "terraform_data" "protection" {
  input = var.deletion_protection

  provisioner "local-exec" {
    when    = destroy
    command = self.input ? "echo 'This environment is protected. Apply deletion_protection = false first, then destroy.' >&2; exit 1" : "true"
  }

  depends_on = [module.edge, module.keycloak, module.postgres, module.redis, module.service]
}
