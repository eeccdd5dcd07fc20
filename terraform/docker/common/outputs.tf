output "auth_listen" {
  description = "Port inside the edge on which Keycloak's public name is served; 8443 where both names share a port."
  value       = local._auth_listen
}

output "edge_files" {
  description = "Files of the edge, rendered, by name."
  value       = { for name in fileset(local._templates, "*.conf") : name => templatefile("${local._templates}/${name}", local._edge) }
}

output "images" {
  description = "Image by part, without digest."
  value       = local._images
}

output "issuer" {
  description = "Issuer of the realm."
  value       = "${var.keycloak_public_url}/realms/${var.realm_name}"
}

output "users" {
  description = "User and group of each part's container, as numbers."
  value       = local._users
}
