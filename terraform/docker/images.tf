locals {
  # The realm's policy of client ID metadata documents and Keycloak's feature follow the same value of the contract.
  _metadata_documents = try(yamldecode(file("${path.module}/../../access.yaml")).registration.metadata_documents, "closed")
}

resource "docker_image" "this" {
  for_each = { for part, image in module.common.images : part => image if part != "edge" || local._edge_here }

  name = join("@", compact([each.value, lookup(var.image_digests, each.key, "")]))
  # Another environment of this machine may use it, and going back needs it.
  keep_locally = true

  lifecycle {
    precondition {
      condition     = var.topology == "containers"
      error_message = "topology is ${var.topology}, whose root is terraform/docker/swarm; `secure-mcp swarm up` goes there by itself."
    }
    precondition {
      condition     = each.key != "keycloak" || endswith(each.value, "-cimd") == (local._metadata_documents != "closed")
      error_message = "access.yaml says metadata_documents: ${local._metadata_documents}, and the Keycloak image ${each.value} was built for the opposite; build the one that `secure-mcp images` names."
    }
  }
}
