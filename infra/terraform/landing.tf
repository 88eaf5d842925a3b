# Through here rows come into BigQuery.
resource "google_storage_bucket" "landing" {
  #checkov:skip=CKV_GCP_62:Who reads and writes is in the audit logs, which an access log would repeat.
  name                        = "${var.project_id}-catalyst-landing"
  location                    = var.location
  labels                      = { layer = "raw" }
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  deletion_policy             = local.deletion_policy

  versioning {
    enabled = true
  }

  # Rows that have arrived are in BigQuery; a week is for finding out why some did not.
  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      age = 7
    }
  }

  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      days_since_noncurrent_time = 7
      with_state                 = "ARCHIVED"
    }
  }
}

# What a run leaves for people: its report, what the gate expects and found, dbt's documentation, alerts.
resource "google_storage_bucket" "reports" {
  #checkov:skip=CKV_GCP_62:Who reads and writes is in the audit logs, which an access log would repeat.
  name                        = "${var.project_id}-catalyst-reports"
  location                    = var.location
  labels                      = { layer = "published" }
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  deletion_policy             = local.deletion_policy

  versioning {
    enabled = true
  }

  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      days_since_noncurrent_time = 90
      with_state                 = "ARCHIVED"
    }
  }
}

# A bucket is mounted by folder, and has a folder once an object says so.
resource "google_storage_bucket_object" "folder" {
  for_each = toset(["reports", "data_docs", "alerts"])

  bucket  = google_storage_bucket.reports.name
  name    = "${each.key}/"
  content = " "
}

resource "google_storage_bucket_iam_member" "landing" {
  for_each = toset(["ingest", "runner"])

  bucket = google_storage_bucket.landing.name
  member = google_service_account.duty[each.key].member
  role   = "roles/storage.objectAdmin"
}

# dlt looks at the bucket itself before it writes.
resource "google_storage_bucket_iam_member" "landing_looks" {
  for_each = toset(["ingest", "runner"])

  bucket = google_storage_bucket.landing.name
  member = google_service_account.duty[each.key].member
  role   = "roles/storage.legacyBucketReader"
}

resource "google_storage_bucket_iam_member" "reports_runner" {
  bucket = google_storage_bucket.reports.name
  member = google_service_account.duty["runner"].member
  role   = "roles/storage.objectAdmin"
}

resource "google_storage_bucket_iam_member" "reports_group" {
  for_each = var.bi_groups

  bucket = google_storage_bucket.reports.name
  member = "group:${each.key}"
  role   = "roles/storage.objectViewer"
}
