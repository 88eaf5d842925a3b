# One account for each duty. `catalyst run` does the first three in one process, so the daily run has an account that may do
# all three; those of the single duties serve who does one by itself: a landing by hand, dbt in CI, training in a notebook.
locals {
  duties = {
    ingest = {
      description = "Lands feeds and gates them."
      writes      = setunion(local.raw_datasets, ["quality", "catalyst_scratch"])
      reads       = []
    }
    transform = {
      description = "Builds every dbt model, and unites customers."
      writes = [
        "seeds", "identities", "staging", "intermediate", "core_analytics", "feature_store", "decisions", "monitoring",
        "catalyst_scratch",
      ]
      reads = setunion(local.raw_datasets, ["quality", "predictions"])
    }
    ml = {
      description = "Trains and predicts."
      writes      = ["predictions", "catalyst_scratch"]
      reads       = ["seeds", "core_analytics", "feature_store"]
    }
    runner = {
      description = "The daily run: ingest, transform and ml in one process."
      writes      = setunion(local.raw_datasets, keys(local.layers), ["catalyst_scratch"])
      reads       = []
    }
    serving = {
      description = "The API: serves predictions, features and decisions."
      writes      = []
      reads       = ["core_analytics", "feature_store", "predictions", "decisions"]
    }
    bi = {
      description = "BI tools: read what is published."
      writes      = []
      reads       = local.published
    }
  }

  # READER and WRITER are what BigQuery makes of the roles Data Viewer and Data Editor on a dataset.
  grants = merge(flatten([
    for duty, may in local.duties : [
      { for dataset in may.writes : "${duty} writes ${dataset}" => { duty = duty, dataset = dataset, role = "WRITER" } },
      { for dataset in may.reads : "${duty} reads ${dataset}" => { duty = duty, dataset = dataset, role = "READER" } },
    ]
  ])...)

  datasets = merge(
    google_bigquery_dataset.raw, google_bigquery_dataset.layer, { catalyst_scratch = google_bigquery_dataset.scratch },
  )
}

resource "google_service_account" "duty" {
  for_each = local.duties

  account_id   = "catalyst-${each.key}"
  display_name = "Catalyst ${each.key}"
  description  = each.value.description

  depends_on = [google_project_service.used]
}

# Not google_bigquery_dataset_iam_member, which takes away the rights of the views in rows.tf.
resource "google_bigquery_dataset_access" "duty" {
  for_each = local.grants

  dataset_id    = local.datasets[each.value.dataset].dataset_id
  user_by_email = google_service_account.duty[each.value.duty].email
  role          = each.value.role
}

resource "google_bigquery_dataset_access" "bi_group" {
  for_each = { for pair in setproduct(var.bi_groups, local.published) : join(" reads ", pair) => pair }

  dataset_id     = local.datasets[each.value[1]].dataset_id
  group_by_email = each.value[0]
  role           = "READER"
}

# Asking a question costs the project, and reading much of an answer goes by another API; neither opens a dataset.
locals {
  askers = merge(
    { for duty, account in google_service_account.duty : duty => account.member },
    { for group in setunion(var.bi_groups, local.restricted_groups) : group => "group:${group}" },
  )
}

resource "google_project_iam_member" "asks" {
  for_each = {
    for pair in setproduct(keys(local.askers), ["bigquery.jobUser", "bigquery.readSessionUser"]) :
    join(" ", pair) => { member = local.askers[pair[0]], role = "roles/${pair[1]}" }
  }

  project = var.project_id
  member  = each.value.member
  role    = each.value.role
}

# `create schema if not exists` asks for the right to create even where the dataset is there, and a policy tag on a column
# for more than Data Editor has.
resource "google_project_iam_custom_role" "writer" {
  role_id     = "catalystWriter"
  title       = "Catalyst writer"
  description = "What building needs beside the datasets' own rights."
  permissions = ["bigquery.datasets.create", "bigquery.tables.setCategory", "datacatalog.taxonomies.get"]

  depends_on = [google_project_service.used]
}

resource "google_project_iam_member" "writes" {
  for_each = toset([for duty, may in local.duties : duty if length(may.writes) > 0])

  project = var.project_id
  member  = google_service_account.duty[each.key].member
  role    = google_project_iam_custom_role.writer.id
}
