# What a Swarm cannot do like one engine is refused here instead of being ignored.
resource "terraform_data" "requirements" {
  input = var.topology

  lifecycle {
    precondition {
      condition     = var.topology == "swarm"
      error_message = "topology is ${var.topology}, whose root is terraform/docker."
    }
    precondition {
      condition     = var.edge == "container"
      error_message = "edge is ${var.edge}; on a Swarm Nginx is a service of its own: write container."
    }
    precondition {
      condition     = var.bind_address == "0.0.0.0"
      error_message = "bind_address is ${var.bind_address}, but a Swarm publishes on every address of a node: write 0.0.0.0, and let the nodes' firewall say who may come."
    }
    precondition {
      condition     = var.observability == null
      error_message = "observability is not there for a Swarm yet: leave it out."
    }
    precondition {
      condition     = length(setsubtract(keys(module.common.images), keys(var.image_digests))) == 0
      error_message = "image_digests lacks ${join(", ", setsubtract(keys(module.common.images), keys(var.image_digests)))}; run: secure-mcp swarm push."
    }
    precondition {
      condition     = !var.deletion_protection || var.overlay_encrypted
      error_message = "A protected environment encrypts what goes between its nodes: leave overlay_encrypted true."
    }
  }
}
