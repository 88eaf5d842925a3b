# The daily run, what watches it, and who deploys. Run with -var-file=envs/staging.tfvars or envs/prod.tfvars.
mock_provider "google" {}

variables {
  # Few, so that the plan is small.
  sources = ["pos", "web"]
}

run "without_an_image" {
  command = plan

  assert {
    condition     = length(google_cloud_run_v2_job.daily) == 0 && length(google_cloud_run_v2_service.ui) == 0
    error_message = "Without an image nothing can run, and nothing may be planned that would fail."
  }

  assert {
    condition     = length(google_monitoring_alert_policy.run_failed.conditions) == 1
    error_message = "The alert must be there before the first run."
  }
}

run "with_an_image" {
  command = apply

  variables {
    image             = "europe-west3-docker.pkg.dev/p/catalyst/catalyst:1"
    secrets           = ["SHOP_TOKEN"]
    settings          = { CATALYST_PROJECT = "/app/my_company" }
    github_repository = "my-company/catalyst"
  }

  assert {
    condition = { for env in google_cloud_run_v2_job.daily[0].template[0].template[0].containers[0].env : env.name => env.value if env.value != null } == {
      CATALYST_TARGET         = "prod"
      CATALYST_GCP_PROJECT    = var.project_id
      CATALYST_LOCATION       = var.location
      CATALYST_LANDING_BUCKET = "${var.project_id}-catalyst-landing"
      CATALYST_PII_POLICY_TAG = google_data_catalog_policy_tag.personal.name
      CATALYST_PROJECT        = "/app/my_company"

      _MLFLOW_SERVER_ARTIFACT_ROOT = "gs://${var.project_id}-catalyst-models"
    }
    error_message = "The run must be told where it works."
  }

  assert {
    condition = toset([
      for env in google_cloud_run_v2_job.daily[0].template[0].template[0].containers[0].env : env.name if length(env.value_source) > 0
    ]) == toset(["SHOP_TOKEN", "DAGSTER_POSTGRES_URL", "CATALYST_MLFLOW_URI"])
    error_message = "The run must get its credentials from Secret Manager."
  }

  assert {
    condition     = google_cloud_run_v2_job.daily[0].template[0].template[0].service_account == google_service_account.duty["runner"].email
    error_message = "The daily run has an account of its own."
  }

  assert {
    condition     = strcontains(output.settings_env, "CATALYST_TARGET=prod\n") && strcontains(output.settings_env, "CATALYST_GCP_PROJECT=${var.project_id}\n")
    error_message = "The output must be the settings, a line each."
  }

  assert {
    condition     = google_cloud_run_v2_service.ui[0].iap_enabled && contains(google_cloud_run_v2_service.ui[0].template[0].containers[0].args, "--read-only")
    error_message = "Dagster's pages must stand behind the proxy and only show."
  }

  assert {
    condition = (
      google_sql_database_instance.catalyst.settings[0].ip_configuration[0].ipv4_enabled == false &&
      google_sql_database_instance.catalyst.deletion_protection == (var.environment == "prod")
    )
    error_message = "Postgres must have no public address, and in prod it must not be destroyed."
  }

  assert {
    condition     = length(google_monitoring_notification_channel.email) == length(var.alert_emails) && length(google_monitoring_alert_policy.run_failed.notification_channels) == length(var.alert_emails)
    error_message = "Everybody who is named must be told of a failed run."
  }

  assert {
    condition     = google_billing_budget.catalyst.amount[0].specified_amount[0].units == tostring(var.monthly_budget) && length(google_billing_budget.catalyst.threshold_rules) == 4
    error_message = "The budget must warn before it is spent."
  }

  assert {
    condition     = google_iam_workload_identity_pool_provider.github[0].attribute_condition == "assertion.sub == 'repo:my-company/catalyst:environment:${var.environment}' && assertion.ref == 'refs/heads/main'"
    error_message = "Only the main branch of the repository may deploy, and to its own environment."
  }
}

run "without_a_repository" {
  command = plan

  variables {
    github_repository = null
  }

  assert {
    condition     = length(google_service_account.deployer) == 0 && length(google_iam_workload_identity_pool.github) == 0
    error_message = "Without a repository nobody signs in from outside."
  }
}

run "an_alert_that_nobody_gets_is_refused" {
  command = plan

  variables {
    alert_emails = []
  }

  expect_failures = [var.alert_emails]
}

run "an_environment_that_is_not_known_is_refused" {
  command = plan

  variables {
    environment = "production"
  }

  expect_failures = [var.environment]
}
