# Trained models: their files in a bucket, and what MLflow knows of them in Postgres. No server stands between.
resource "google_storage_bucket" "models" {
  #checkov:skip=CKV_GCP_62:Who reads and writes is in the audit logs, which an access log would repeat.
  name                        = "${var.project_id}-catalyst-models"
  location                    = var.location
  labels                      = { layer = "predictions" }
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  deletion_policy             = local.deletion_policy

  versioning {
    enabled = true
  }
}

resource "google_storage_bucket_iam_member" "models" {
  for_each = toset(["ml", "runner"])

  bucket = google_storage_bucket.models.name
  member = google_service_account.duty[each.key].member
  role   = "roles/storage.objectAdmin"
}

resource "google_sql_database" "mlflow" {
  name     = "mlflow"
  instance = google_sql_database_instance.catalyst.name
}
