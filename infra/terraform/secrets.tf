# Their values are added by `gcloud secrets versions add` and stand neither here nor in the state.
locals {
  dagster_url = "DAGSTER_POSTGRES_URL"
  mlflow_url  = "CATALYST_MLFLOW_URI"
}

resource "google_secret_manager_secret" "variable" {
  for_each = setunion(var.secrets, [local.dagster_url, local.mlflow_url])

  secret_id           = each.key
  deletion_protection = local.is_prod

  replication {
    auto {}
  }

  depends_on = [google_project_service.used]
}

resource "google_secret_manager_secret_iam_member" "runner" {
  for_each = google_secret_manager_secret.variable

  secret_id = each.value.id
  member    = google_service_account.duty["runner"].member
  role      = "roles/secretmanager.secretAccessor"
}

resource "google_secret_manager_secret_iam_member" "ui" {
  secret_id = google_secret_manager_secret.variable[local.dagster_url].id
  member    = google_service_account.ui.member
  role      = "roles/secretmanager.secretAccessor"
}

resource "google_secret_manager_secret_iam_member" "ml" {
  secret_id = google_secret_manager_secret.variable[local.mlflow_url].id
  member    = google_service_account.duty["ml"].member
  role      = "roles/secretmanager.secretAccessor"
}
