# A column with this tag is personal data: who is named here reads it in clear, who reads the table otherwise sees null.
resource "google_data_catalog_taxonomy" "catalyst" {
  display_name           = "Catalyst"
  description            = "What kinds of data columns hold."
  region                 = lower(var.location)
  activated_policy_types = ["FINE_GRAINED_ACCESS_CONTROL"]

  depends_on = [google_project_service.used]
}

resource "google_data_catalog_policy_tag" "personal" {
  taxonomy     = google_data_catalog_taxonomy.catalyst.id
  display_name = "personal"
  description  = "Tells about a person: names, addresses, dates of birth."
}

resource "google_data_catalog_policy_tag_iam_member" "in_clear" {
  for_each = merge(
    { for duty in ["ingest", "transform", "runner"] : duty => google_service_account.duty[duty].member },
    { for group in var.pii_groups : group => "group:${group}" },
  )

  policy_tag = google_data_catalog_policy_tag.personal.id
  member     = each.value
  role       = "roles/datacatalog.categoryFineGrainedReader"
}

# Null fits columns of every type; a hash, say, fits text only.
resource "google_bigquery_datapolicy_data_policy" "masked" {
  data_policy_id   = "catalyst_personal"
  location         = lower(var.location)
  policy_tag       = google_data_catalog_policy_tag.personal.id
  data_policy_type = "DATA_MASKING_POLICY"

  data_masking_policy {
    predefined_expression = "ALWAYS_NULL"
  }
}

resource "google_bigquery_datapolicy_data_policy_iam_member" "masked" {
  for_each = merge(
    { for duty in ["ml", "serving", "bi"] : duty => google_service_account.duty[duty].member },
    { for group in setsubtract(setunion(var.bi_groups, local.restricted_groups), var.pii_groups) : group => "group:${group}" },
  )

  data_policy_id = google_bigquery_datapolicy_data_policy.masked.data_policy_id
  location       = google_bigquery_datapolicy_data_policy.masked.location
  member         = each.value
  role           = "roles/bigquerydatapolicy.maskedReader"
}
