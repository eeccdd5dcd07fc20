# Signing keys. Rotation is an edit: add an entry with a higher priority and apply; when the longest token has run out
# set `active = false` on the old one; when the longest session has run out remove it.

resource "keycloak_realm_keystore_rsa_generated" "signing" {
  for_each = { for name, key in var.signing_keys : name => key if key.algorithm == "RS256" && var.components_declared }

  realm_id  = local._realm
  name      = each.key
  algorithm = each.value.algorithm
  key_size  = each.value.size
  priority  = each.value.priority
  active    = each.value.active
  enabled   = each.value.enabled
}

resource "keycloak_realm_keystore_ecdsa_generated" "signing" {
  for_each = { for name, key in var.signing_keys : name => key if key.algorithm == "ES256" && var.components_declared }

  realm_id           = local._realm
  name               = each.key
  elliptic_curve_key = each.value.curve
  priority           = each.value.priority
  active             = each.value.active
  enabled            = each.value.enabled
}
