output "settings_env" {
  description = "The settings of Catalyst, a line each: `terraform output -raw settings_env > catalyst.env`."
  value       = join("", [for name, value in local.settings : "${name}=${value}\n"])
}

output "accounts" {
  description = "The account of each duty, for gcloud's --impersonate-service-account and for BI tools."
  value       = { for duty, account in google_service_account.duty : duty => account.email }
}

output "registry" {
  description = "Where images are pushed to."
  value       = local.registry
}

output "database" {
  description = "The Postgres of Dagster and MLflow, as /cloudsql and gcloud name it."
  value       = google_sql_database_instance.catalyst.connection_name
}

output "github_provider" {
  description = "What the deploy workflow signs in with; null where no repository is named."
  value       = one(google_iam_workload_identity_pool_provider.github[*].name)
}

output "ui" {
  description = "Where Dagster's pages are; null before an image is there."
  value       = one(google_cloud_run_v2_service.ui[*].uri)
}
