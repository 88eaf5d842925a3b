# Views, and not row access policies: dbt replaces tables, a policy goes with the table that it was on, and then everybody
# would see every row. Members of these groups may read the views only, so nothing opens by itself.
locals {
  restricted_groups = toset(flatten([for rule in var.row_access : tolist(rule.groups)]))
}

resource "google_bigquery_dataset" "restricted" {
  #checkov:skip=CKV_GCP_81:It holds a view and no data.
  for_each = var.row_access

  dataset_id  = "restricted_${each.key}"
  description = "The rows of ${each.value.dataset}.${each.value.table} where ${each.value.filter}."
  location    = var.location
  labels      = { layer = "restricted" }
}

resource "google_bigquery_table" "restricted" {
  #checkov:skip=CKV_GCP_80:It is a view and holds no data.
  #checkov:skip=CKV_GCP_121:It is a view; it is made anew at no loss.
  for_each = var.row_access

  dataset_id          = google_bigquery_dataset.restricted[each.key].dataset_id
  table_id            = each.value.table
  deletion_protection = false

  view {
    query          = "select * from `${var.project_id}.${each.value.dataset}.${each.value.table}` where ${each.value.filter}"
    use_legacy_sql = false
  }
}

resource "google_bigquery_dataset_access" "of_view" {
  for_each = var.row_access

  dataset_id = local.datasets[each.value.dataset].dataset_id

  view {
    project_id = var.project_id
    dataset_id = google_bigquery_table.restricted[each.key].dataset_id
    table_id   = google_bigquery_table.restricted[each.key].table_id
  }
}

resource "google_bigquery_dataset_access" "restricted_group" {
  for_each = merge([
    for key, rule in var.row_access : { for group in rule.groups : "${group} reads ${key}" => { key = key, group = group } }
  ]...)

  dataset_id     = google_bigquery_dataset.restricted[each.value.key].dataset_id
  group_by_email = each.value.group
  role           = "READER"
}
