# Dagster's pages, read-only: lineage, runs, checks. Identity-Aware Proxy stands before them and lets the BI groups in.
resource "google_service_account" "ui" {
  account_id   = "catalyst-ui"
  display_name = "Catalyst UI"
  description  = "Shows Dagster's pages; reads its Postgres and nothing else."

  depends_on = [google_project_service.used]
}

resource "google_cloud_run_v2_service" "ui" {
  count = local.is_deployed ? 1 : 0

  name                = "catalyst-ui"
  location            = var.region
  deletion_protection = false
  iap_enabled         = true

  template {
    service_account = google_service_account.ui.email

    scaling {
      max_instance_count = 1
    }

    containers {
      image   = var.image
      command = ["dagster-webserver"]
      args    = ["--read-only", "--host", "0.0.0.0", "--port", "8080", "--module-name", "orchestration.definitions"]

      ports {
        container_port = 8080
      }

      resources {
        limits = { cpu = "1", memory = "2Gi" }
      }

      startup_probe {
        # Imports take a while on one core.
        initial_delay_seconds = 10
        period_seconds        = 10
        failure_threshold     = 18
        tcp_socket {
          port = 8080
        }
      }

      dynamic "env" {
        for_each = local.settings
        content {
          name  = env.key
          value = env.value
        }
      }

      env {
        name = local.dagster_url
        value_source {
          secret_key_ref {
            secret  = google_secret_manager_secret.variable[local.dagster_url].secret_id
            version = "latest"
          }
        }
      }

      volume_mounts {
        name       = "cloudsql"
        mount_path = "/cloudsql"
      }
    }

    volumes {
      name = "cloudsql"
      cloud_sql_instance {
        instances = [google_sql_database_instance.catalyst.connection_name]
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

  depends_on = [google_secret_manager_secret_iam_member.ui]
}

# The proxy's own account calls the service for whom it has let in.
resource "google_cloud_run_v2_service_iam_member" "proxy" {
  count = local.is_deployed ? 1 : 0

  name     = google_cloud_run_v2_service.ui[0].name
  location = var.region
  member   = "serviceAccount:service-${data.google_project.this.number}@gcp-sa-iap.iam.gserviceaccount.com"
  role     = "roles/run.invoker"
}

resource "google_iap_web_cloud_run_service_iam_member" "group" {
  for_each = local.is_deployed ? var.bi_groups : []

  cloud_run_service_name = google_cloud_run_v2_service.ui[0].name
  location               = var.region
  member                 = "group:${each.key}"
  role                   = "roles/iap.httpsResourceAccessor"
}
