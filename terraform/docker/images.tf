locals {
  # Each holds the same Debian release's tools where there is a choice, so that health checks may rely on a shell.
  _images = {
    edge     = "nginx:1.30.4-trixie"
    keycloak = var.keycloak_image
    postgres = "postgres:17.10-trixie"
    redis    = "redis:8.2.8-bookworm"
    service  = var.service_image
  }
}

locals {
  # The realm's policy of client ID metadata documents and Keycloak's feature follow the same value of the contract.
  _metadata_documents = try(yamldecode(file("${path.module}/../../access.yaml")).registration.metadata_documents, "closed")
}

resource "docker_image" "this" {
  for_each = { for part, image in local._images : part => image if part != "edge" || local._edge_here }

  name = join("@", compact([each.value, lookup(var.image_digests, each.key, "")]))
  # Another environment of this machine may use it, and going back needs it.
  keep_locally = true

  lifecycle {
    precondition {
      condition     = each.key != "keycloak" || endswith(each.value, "-cimd") == (local._metadata_documents != "closed")
      error_message = "access.yaml says metadata_documents: ${local._metadata_documents}, and the Keycloak image ${each.value} was built for the opposite; build the one that `secure-mcp images` names."
    }
  }
}
