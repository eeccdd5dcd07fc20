# A realm of somebody else, and a module for each application of a team.
module "billing" {
  source    = "./modules/app"
  realm     = "company"
  slug      = "billing"
  callbacks = ["https://billing.example.com/*"]
  scopes    = ["profile", "email"]
}

module "reports" {
  source    = "./modules/app"
  realm     = "company"
  slug      = "reports"
  callbacks = ["https://reports.example.com/oidc/callback"]
  kind      = "PUBLIC"
  password  = true
  scopes    = ["profile"]
}
