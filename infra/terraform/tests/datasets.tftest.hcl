# What is kept for ever and what is not, and where. Run with -var-file=envs/staging.tfvars or envs/prod.tfvars.
mock_provider "google" {}

run "plan" {
  command = plan

  assert {
    condition = toset([for dataset in merge(google_bigquery_dataset.raw, google_bigquery_dataset.layer) : dataset.dataset_id]) == setunion(
      [for source in var.sources : "raw_${source}"],
      [
        "quality", "seeds", "identities", "staging", "intermediate", "core_analytics", "feature_store", "predictions",
        "decisions", "monitoring",
      ],
    )
    error_message = "The datasets are not those of the architecture."
  }

  assert {
    condition     = alltrue([for dataset in google_bigquery_dataset.raw : dataset.default_partition_expiration_ms == 7776000000])
    error_message = "A day of raw rows must go after 90 days."
  }

  assert {
    condition = alltrue([
      for dataset in merge(google_bigquery_dataset.layer, google_bigquery_dataset.restricted) :
      dataset.default_partition_expiration_ms == null && dataset.default_table_expiration_ms == null
    ])
    error_message = "Only raw may expire: marts, features and predictions never do."
  }

  assert {
    condition     = google_bigquery_dataset.scratch.default_table_expiration_ms == 86400000
    error_message = "What a killed run leaves in the scratch dataset must go."
  }

  assert {
    condition     = alltrue([for dataset in google_bigquery_dataset.raw : dataset.default_table_expiration_ms == null])
    error_message = "Raw tables must stay, whatever becomes of their days."
  }

  assert {
    condition = alltrue([
      for dataset in local.datasets :
      dataset.location == var.location && dataset.deletion_policy == (var.environment == "prod" ? "PREVENT" : "DELETE")
    ])
    error_message = "Every dataset must be in the location, and in prod none may be destroyed."
  }

  assert {
    condition = (
      google_storage_bucket.landing.name == "${var.project_id}-catalyst-landing" &&
      google_storage_bucket.landing.versioning[0].enabled &&
      one(google_storage_bucket.landing.lifecycle_rule[0].condition).age == 7
    )
    error_message = "The landing bucket must have the name that the settings expect, keep versions, and delete what has landed."
  }

  assert {
    condition = alltrue([
      for bucket in [google_storage_bucket.landing, google_storage_bucket.reports, google_storage_bucket.models] :
      bucket.public_access_prevention == "enforced" && bucket.uniform_bucket_level_access
    ])
    error_message = "No bucket may be opened to the public."
  }
}

run "another_source" {
  command = plan

  variables {
    sources = ["pos", "loyalty"]
  }

  assert {
    condition     = keys(google_bigquery_dataset.raw) == ["raw_loyalty", "raw_pos"]
    error_message = "A source must get a dataset."
  }

  assert {
    condition     = contains(keys(google_bigquery_dataset_access.duty), "ingest writes raw_loyalty")
    error_message = "A source's dataset must be one that ingest writes."
  }
}

run "a_source_that_no_dataset_can_be_named_after" {
  command = plan

  variables {
    sources = ["Web-Shop"]
  }

  expect_failures = [var.sources]
}
