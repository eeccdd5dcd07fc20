# Deletion protection. The provider's own (terraform_deletion_protection) refuses only the realm, which goes last: by then every
# client and scope is gone. This one stops the plan, for `terraform destroy` and for another realm_name alike.
# To lift it: set deletion_protection = false, `terraform state rm 'terraform_data.deletion_protection[0]'`, apply.

locals {
  _deletion_protection = coalesce(var.deletion_protection, var.environment == "prod")
}

resource "terraform_data" "deletion_protection" {
  count = local._deletion_protection ? 1 : 0

  triggers_replace = var.realm_name

  lifecycle {
    prevent_destroy = true
  }

  depends_on = [keycloak_realm.main]
}
