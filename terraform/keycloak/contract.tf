# The access contract and the values of an environment, refused here before anything is planned from them.

locals {
  _contract_path        = coalesce(var.contract_path, "${path.module}/../../access.yaml")
  _contract_schema_path = coalesce(var.contract_schema_path, "${path.module}/../../access.schema.json")
}

module "contract" {
  source = "./contract"

  file_name = basename(local._contract_path)
  schema    = file(local._contract_schema_path)
  text      = file(local._contract_path)
}

# The realm depends on this, so that no -target can step around it.
resource "terraform_data" "contract" {
  lifecycle {
    precondition {
      condition     = length(module.contract.problems) == 0
      error_message = join("\n", module.contract.problems)
    }

    precondition {
      condition = var.environment == "dev" || alltrue([
        for url in compact([var.keycloak_public_url, var.keycloak_url, var.public_url]) : startswith(url, "https://")
      ])
      error_message = "An origin of ${var.environment} is http; write https in keycloak_public_url, keycloak_url and public_url."
    }

    precondition {
      condition     = var.environment == "dev" || local._ssl_required == "all"
      error_message = "ssl_required is ${local._ssl_required} in ${var.environment}; leave it out or write all."
    }

    precondition {
      condition     = length(local._resource_servers) == 1 || length(module.contract.problems) > 0
      error_message = "access.yaml has ${length(local._resource_servers)} clients of kind resource_server; write exactly one, it is the audience of every token."
    }

    precondition {
      condition     = length(setintersection(local._downstream_apis, concat(keys(local._clients), keys(local._accounts)))) == 0
      error_message = "access.yaml names an API of downstream_apis as a client or an operator's account, too; write another name."
    }

    precondition {
      condition     = length(setintersection(keys(local._clients), keys(local._accounts))) == 0
      error_message = "access.yaml names a client ${join(" or ", keys(local._accounts))}, which are accounts of the operator; write another name."
    }
  }
}
