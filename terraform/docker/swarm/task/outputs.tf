output "id" {
  description = "Id of the service."
  value       = docker_service.this.id
}

output "name" {
  description = "Name of the service."
  value       = docker_service.this.name
}
