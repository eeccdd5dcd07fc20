variable "admin_client_id" {
  type        = string
  description = "Service account that Terraform logs in as: bootstrap-admin for the first apply, terraform for every later one."
  default     = "terraform"
  nullable    = false
}

variable "admin_client_secret" {
  type        = string
  description = "Secret of that account. Never stored; give it by TF_VAR_admin_client_secret, at plan and again at apply."
  ephemeral   = true
  sensitive   = true
  nullable    = false
}

variable "admin_realm" {
  type        = string
  description = "Realm of that account: master for the first apply; null means the realm itself."
  default     = null
}

variable "adopt_registration_policies" {
  type        = bool
  description = "Whether the ten client registration policies that Keycloak makes with a realm are imported. False where no server can be asked (terraform test), and once to make anew a policy that is in neither realm nor state."
  default     = true
  nullable    = false
}

variable "adopted_clients" {
  type        = set(string)
  description = "Clients with a secret that were in the realm before Terraform (secure-mcp adopt). They stay in this list for good: Terraform takes them over as they are and never deletes them."
  default     = []
  nullable    = false
}

variable "client_secret_versions" {
  type        = map(string)
  description = "Version of a client's secret by client_id; a new text sends the secret anew. A client that is not named has version 1."
  default     = {}
  nullable    = false
}

variable "client_secrets" {
  type        = map(string)
  description = "Secret by client_id of every confidential client, of `terraform` and of `auditor`. Never stored; give it by TF_VAR_client_secrets as JSON."
  ephemeral   = true
  sensitive   = true
  nullable    = false

  validation {
    condition     = alltrue([for client_id in local._secret_holders : can(var.client_secrets[client_id])])
    error_message = "A confidential client has no secret; put one for each of ${join(", ", local._secret_holders)} into TF_VAR_client_secrets."
  }

  validation {
    condition     = alltrue([for secret in values(var.client_secrets) : length(secret) >= 32])
    error_message = "A client secret is shorter than 32 characters; write one made by `openssl rand -hex 32`."
  }
}

variable "components_declared" {
  type        = bool
  description = "Whether signing keys and registration policies are declared. False for an adopted realm whose internal id is not its name: provider 5.9 would make them where Keycloak does not look (secure-mcp adopt says so)."
  default     = true
  nullable    = false
}

variable "contract_path" {
  type        = string
  description = "Path of the access contract; null means access.yaml at the top of the repository."
  default     = null
}

variable "contract_schema_path" {
  type        = string
  description = "Path of the contract's JSON Schema; null means access.schema.json at the top of the repository."
  default     = null
}

variable "deletion_protection" {
  type        = bool
  description = "Whether Terraform refuses to delete the realm; null means yes in prod, no elsewhere."
  default     = null
}

variable "environment" {
  type        = string
  description = "dev, staging or prod. Only dev may do without https."
  nullable    = false

  validation {
    condition     = contains(["dev", "staging", "prod"], var.environment)
    error_message = "The environment is '${var.environment}'; write dev, staging or prod."
  }
}

variable "keycloak_ca_certificate" {
  type        = string
  description = "PEM text of the authority that signed Keycloak's certificate; null means the authorities of this machine."
  default     = null
}

variable "keycloak_public_url" {
  type        = string
  description = "Origin of Keycloak as browsers see it, without a slash at the end; the issuer derives from it. Null means keycloak_url."
  default     = null

  validation {
    condition     = var.keycloak_public_url == null || can(regex(local._origin_pattern, var.keycloak_public_url))
    error_message = "keycloak_public_url is no origin; write https://host or https://host:port (http only in dev), without path or slash at the end."
  }
}

variable "keycloak_url" {
  type        = string
  description = "Origin under which Terraform reaches Keycloak, without a slash at the end."
  nullable    = false

  validation {
    condition     = can(regex(local._origin_pattern, var.keycloak_url))
    error_message = "keycloak_url is no origin; write https://host or https://host:port (http only in dev), without path or slash at the end."
  }
}

variable "public_url" {
  type        = string
  description = "Origin of the MCP service as clients see it, without a slash at the end; the audience of tokens is this with /mcp."
  nullable    = false

  validation {
    condition     = can(regex(local._origin_pattern, var.public_url))
    error_message = "public_url is no origin; write https://host or https://host:port (http only in dev), without path or slash at the end."
  }
}

variable "realm_name" {
  type        = string
  description = "Name of the realm; part of the issuer."
  default     = "mcp-realm"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,35}$", var.realm_name)) && var.realm_name != "master"
    error_message = "The realm name is '${var.realm_name}'; write 2 to 36 lower-case letters, digits and hyphens, and not master."
  }
}

variable "service_url" {
  type        = string
  description = "Origin under which Keycloak reaches the MCP service, to tell it which sessions ended. Null means public_url."
  default     = null

  validation {
    condition     = var.service_url == null || can(regex("^https?://[a-z0-9.-]+(:[0-9]+)?$", var.service_url))
    error_message = "service_url is no origin; write such as http://mcp:8000 or https://host, without path or slash at the end."
  }
}
