locals {
  raw_datasets = toset([for source in var.sources : "raw_${source}"])

  # In the order in which data move; those that BI tools read are `published`.
  layers = {
    quality        = "What the gate marked, counted and found."
    seeds          = "Lists that people keep: categories, countries, calendars."
    identities     = "Which records are the same customer, and why."
    staging        = "Accepted rows, typed and renamed, one table for each raw one."
    intermediate   = "What is harmonized across sources."
    core_analytics = "Marts and key figures."
    feature_store  = "What models learn from, as it was known at the time."
    predictions    = "What models foretell, a partition for each day."
    decisions      = "What to do, such as purchase orders."
    monitoring     = "What came true of predictions."
  }
  published = toset(["core_analytics", "predictions", "decisions", "monitoring"])
}

resource "google_bigquery_dataset" "raw" {
  #checkov:skip=CKV_GCP_81:Google's own keys encrypt what is stored; a key of one's own would be one more thing that can be lost.
  for_each = local.raw_datasets

  dataset_id  = each.key
  description = "As received from ${trimprefix(each.key, "raw_")}; a day's rows go after 90 days. Staging keeps the accepted ones."
  location    = var.location
  labels      = { layer = "raw" }

  default_partition_expiration_ms = 90 * 24 * 60 * 60 * 1000
  # Seven days in which a mistake can be undone.
  max_time_travel_hours = "168"
  deletion_policy       = local.deletion_policy

  depends_on = [google_project_service.used]
}

resource "google_bigquery_dataset" "layer" {
  #checkov:skip=CKV_GCP_81:Google's own keys encrypt what is stored; a key of one's own would be one more thing that can be lost.
  for_each = local.layers

  dataset_id            = each.key
  description           = each.value
  location              = var.location
  labels                = { layer = each.key }
  max_time_travel_hours = "168"
  deletion_policy       = local.deletion_policy

  depends_on = [google_project_service.used]
}

# What statements read that a run brings along; what a killed run leaves goes after a day.
resource "google_bigquery_dataset" "scratch" {
  #checkov:skip=CKV_GCP_81:Google's own keys encrypt what is stored; a key of one's own would be one more thing that can be lost.
  dataset_id                  = "catalyst_scratch"
  description                 = "Rows of a run under way; nothing here lasts longer than a day."
  location                    = var.location
  labels                      = { layer = "scratch" }
  default_table_expiration_ms = 24 * 60 * 60 * 1000
  max_time_travel_hours       = "48"
  deletion_policy             = local.deletion_policy

  depends_on = [google_project_service.used]
}
