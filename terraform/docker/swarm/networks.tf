resource "docker_network" "this" {
  for_each = local._subnets

  name     = "${local._prefix}-swarm-${each.key}"
  driver   = "overlay"
  internal = each.key != "edge"
  options  = var.overlay_encrypted ? { encrypted = "" } : {}

  ipam_config {
    subnet  = each.value
    gateway = cidrhost(each.value, 1)
  }

  dynamic "labels" {
    for_each = local._labels
    content {
      label = labels.key
      value = labels.value
    }
  }

  lifecycle {
    # The engine adds the numbers of its VXLANs; another choice of encryption makes the network anew all the same.
    ignore_changes       = [options]
    replace_triggered_by = [terraform_data.encrypted]
  }

  depends_on = [terraform_data.requirements]
}

resource "terraform_data" "encrypted" {
  input = var.overlay_encrypted
}
