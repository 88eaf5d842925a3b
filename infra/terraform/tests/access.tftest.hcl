# Who may do what. Run with -var-file=envs/staging.tfvars or envs/prod.tfvars.
mock_provider "google" {}

variables {
  # Few, so that the plan is small.
  sources    = ["pos", "web"]
  bi_groups  = ["analysts@example.com"]
  pii_groups = ["care@example.com"]
  row_access = {
    germany = {
      dataset = "core_analytics"
      table   = "orders"
      filter  = "country = 'DE'"
      groups  = ["germany@example.com"]
    }
  }
  image        = "europe-west3-docker.pkg.dev/p/catalyst/catalyst:1"
  api_image    = "europe-west3-docker.pkg.dev/p/catalyst/api:1"
  api_invokers = ["serviceAccount:shop@p.iam.gserviceaccount.com"]
}

# Applied to nothing, so that what Google fills in has a value.
run "apply" {
  command = apply

  assert {
    condition = alltrue([
      for grant in local.grants : grant.role == "READER" && contains(local.published, grant.dataset) if grant.duty == "bi"
    ])
    error_message = "BI tools must read what is published and nothing else."
  }

  assert {
    condition = alltrue([
      for grant in local.grants : startswith(grant.dataset, "raw_") || contains(["quality", "catalyst_scratch"], grant.dataset) if grant.duty == "ingest"
    ])
    error_message = "Ingest must reach raw, quality and scratch only."
  }

  assert {
    condition = toset([
      for grant in local.grants : grant.duty if startswith(grant.dataset, "raw_") || grant.dataset == "quality"
    ]) == toset(["ingest", "transform", "runner"])
    error_message = "Raw and quarantined rows hold personal data in full: ml, serving and BI must not reach them."
  }

  assert {
    condition     = toset([for grant in local.grants : grant.dataset if grant.duty == "ml" && grant.role == "WRITER"]) == toset(["predictions", "catalyst_scratch"])
    error_message = "Of the single duties ml must write predictions only, and what its questions bring along."
  }

  assert {
    condition     = alltrue([for grant in local.grants : grant.role == "READER" if contains(["bi", "serving"], grant.duty)])
    error_message = "Who serves or shows must not write."
  }

  # The grants above are what is granted: to a person each, none by the back door.
  assert {
    condition = alltrue([
      for access in merge(
        google_bigquery_dataset_access.duty, google_bigquery_dataset_access.bi_group,
        google_bigquery_dataset_access.restricted_group, google_bigquery_dataset_access.of_view,
      ) : access.iam_member == null && access.special_group == null && access.domain == null
    ])
    error_message = "A dataset must be opened to named accounts and groups only."
  }

  assert {
    condition = alltrue([
      for key, access in google_bigquery_dataset_access.duty :
      access.user_by_email == google_service_account.duty[local.grants[key].duty].email && access.role == local.grants[key].role
    ])
    error_message = "A grant must reach the account of its duty."
  }

  assert {
    condition = toset([for access in google_bigquery_dataset_access.restricted_group : access.dataset_id]) == toset(["restricted_germany"]) && (
      google_bigquery_table.restricted["germany"].view[0].query
      == "select * from `${var.project_id}.core_analytics.orders` where country = 'DE'"
    )
    error_message = "Who sees some rows must reach the view of them and nothing else."
  }

  assert {
    condition = alltrue([
      for grant in google_data_catalog_policy_tag_iam_member.in_clear :
      !contains([for duty in ["ml", "serving", "bi"] : google_service_account.duty[duty].member], grant.member)
    ])
    error_message = "ml, serving and BI must see personal data masked."
  }

  assert {
    condition = (
      google_data_catalog_taxonomy.catalyst.region == lower(var.location) &&
      google_bigquery_datapolicy_data_policy.masked.location == lower(var.location)
    )
    error_message = "A policy tag works in the location of the datasets only."
  }

  assert {
    condition = alltrue([
      for grant in flatten([
        values(google_project_iam_member.asks), values(google_project_iam_member.writes),
        values(google_project_iam_member.connects), values(google_project_iam_member.deployer),
        values(google_storage_bucket_iam_member.landing), values(google_storage_bucket_iam_member.reports_group),
        values(google_storage_bucket_iam_member.models),
        values(google_secret_manager_secret_iam_member.runner), values(google_iap_web_cloud_run_service_iam_member.group),
        google_cloud_run_v2_service_iam_member.proxy, values(google_cloud_run_v2_service_iam_member.api),
        google_cloud_run_v2_job_iam_member.scheduler,
      ]) : !contains(["allUsers", "allAuthenticatedUsers"], grant.member)
    ])
    error_message = "Nothing may be open to everybody."
  }

  assert {
    condition     = toset([for grant in google_storage_bucket_iam_member.landing : grant.member]) == toset([for duty in ["ingest", "runner"] : google_service_account.duty[duty].member])
    error_message = "Only who lands feeds may use the landing bucket."
  }

  assert {
    condition = alltrue([
      for duty in ["ingest", "transform", "ml", "serving", "bi"] :
      !contains([for grant in google_secret_manager_secret_iam_member.runner : grant.member], google_service_account.duty[duty].member)
    ])
    error_message = "Only the daily run reads the credentials of feeds."
  }
}

run "an_open_api_is_refused" {
  command = plan

  variables {
    api_invokers = ["allUsers"]
  }

  expect_failures = [var.api_invokers]
}
