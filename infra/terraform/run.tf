# The daily run is a job, Dagster's pages are a service that only shows, and both keep their state in Postgres. Nothing waits
# for work: Cloud Scheduler starts the job.
locals {
  is_deployed = var.image != null

  settings = merge(
    {
      CATALYST_TARGET         = "prod"
      CATALYST_GCP_PROJECT    = var.project_id
      CATALYST_LOCATION       = var.location
      CATALYST_LANDING_BUCKET = google_storage_bucket.landing.name
      CATALYST_PII_POLICY_TAG = google_data_catalog_policy_tag.personal.name
    },
    var.settings,
  )
}

resource "google_cloud_run_v2_job" "daily" {
  count = local.is_deployed ? 1 : 0

  name                = "catalyst-run"
  location            = var.region
  deletion_protection = false

  template {
    task_count = 1

    template {
      service_account = google_service_account.duty["runner"].email
      timeout         = "${var.run_timeout_hours * 3600}s"
      # A run that was killed may be started again: its result is the same.
      max_retries = 1

      containers {
        image = var.image
        args  = ["run"]

        resources {
          limits = { cpu = "4", memory = var.run_memory }
        }

        dynamic "env" {
          for_each = local.settings
          content {
            name  = env.key
            value = env.value
          }
        }

        # MLflow's own name for where files of models go.
        env {
          name  = "_MLFLOW_SERVER_ARTIFACT_ROOT"
          value = "gs://${google_storage_bucket.models.name}"
        }

        dynamic "env" {
          for_each = google_secret_manager_secret.variable
          content {
            name = env.key
            value_source {
              secret_key_ref {
                secret  = env.value.secret_id
                version = "latest"
              }
            }
          }
        }

        volume_mounts {
          name       = "cloudsql"
          mount_path = "/cloudsql"
        }

        # All else below CATALYST_HOME may go with the container.
        dynamic "volume_mounts" {
          for_each = google_storage_bucket_object.folder
          content {
            name       = "reports"
            mount_path = "/catalyst/${volume_mounts.key}"
            sub_path   = volume_mounts.key
          }
        }
      }

      volumes {
        name = "cloudsql"
        cloud_sql_instance {
          instances = [google_sql_database_instance.catalyst.connection_name]
        }
      }

      volumes {
        name = "reports"
        gcs {
          bucket = google_storage_bucket.reports.name
          # The user of the image.
          mount_options = ["uid=10001", "gid=10001"]
        }
      }

      vpc_access {
        egress = "PRIVATE_RANGES_ONLY"
        network_interfaces {
          network    = google_compute_network.catalyst.id
          subnetwork = google_compute_subnetwork.catalyst.id
        }
      }
    }
  }

  depends_on = [google_secret_manager_secret_iam_member.runner]
}

resource "google_service_account" "scheduler" {
  account_id   = "catalyst-scheduler"
  display_name = "Catalyst scheduler"
  description  = "Starts the daily run."

  depends_on = [google_project_service.used]
}

resource "google_cloud_run_v2_job_iam_member" "scheduler" {
  count = local.is_deployed ? 1 : 0

  name     = google_cloud_run_v2_job.daily[0].name
  location = var.region
  member   = google_service_account.scheduler.member
  role     = "roles/run.invoker"
}

resource "google_cloud_scheduler_job" "daily" {
  count = local.is_deployed ? 1 : 0

  name             = "catalyst-run"
  description      = "Starts Catalyst's daily run."
  region           = var.region
  schedule         = var.schedule
  time_zone        = "Etc/UTC"
  attempt_deadline = "60s"

  http_target {
    http_method = "POST"
    uri         = "https://run.googleapis.com/v2/${google_cloud_run_v2_job.daily[0].id}:run"

    oauth_token {
      service_account_email = google_service_account.scheduler.email
    }
  }

  depends_on = [google_project_service.used]
}
