# Clients by metadata document (draft-ietf-oauth-client-id-metadata-document): the client id is the URL of a document.
# Keycloak needs its feature `cimd` for this, and neither may be on alone: without this policy the feature announces what
# the realm refuses, and without the feature this policy makes every request to the realm fail (README.md).

locals {
  _metadata_open  = local._limits.registration.metadata_documents == "trusted_hosts"
  _metadata_hosts = local._limits.registration.metadata_hosts
}

resource "keycloak_realm_client_policy_profile" "metadata_documents" {
  for_each = toset(local._metadata_open ? ["metadata-documents"] : [])

  realm_id    = local._realm
  name        = "secure-mcp-${each.key}"
  description = "Fetches and judges client ID metadata documents."

  executor {
    name = "client-id-metadata-document"
    configuration = {
      cimd-allow-http-scheme = "false"
      # Every host of every URI in a document. Loopback is where the person's own program listens; no document comes from
      # there, for the condition below has the hosts of documents only.
      cimd-allow-permitted-domains   = jsonencode(concat(local._metadata_hosts, ["127.0.0.1", "localhost"]))
      cimd-restrict-same-domain      = "false"
      cimd-required-properties       = jsonencode(["client_name", "redirect_uris"])
      only-allow-confidential-client = "false"
    }
  }

  depends_on = [keycloak_realm_client_policy_profile.refusal]
}

resource "keycloak_realm_client_policy_profile_policy" "metadata_documents" {
  for_each = keycloak_realm_client_policy_profile.metadata_documents

  realm_id    = local._realm
  name        = each.key
  description = "Client ids that are URLs of trusted hosts."
  enabled     = true
  profiles    = [each.value.name]

  condition {
    name = "client-id-uri"
    configuration = {
      client-id-uri-scheme                  = jsonencode(["https"])
      client-id-uri-allow-permitted-domains = jsonencode(local._metadata_hosts)
    }
  }

  depends_on = [keycloak_realm_client_policy_profile_policy.undeclared_scopes]
}
