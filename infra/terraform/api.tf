# An API over predictions, features and decisions, where there is an image of one.
resource "google_cloud_run_v2_service" "api" {
  count = var.api_image == null ? 0 : 1

  name                = "catalyst-api"
  location            = var.region
  deletion_protection = false

  template {
    service_account = google_service_account.duty["serving"].email

    containers {
      image = var.api_image

      dynamic "env" {
        for_each = local.settings
        content {
          name  = env.key
          value = env.value
        }
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

resource "google_cloud_run_v2_service_iam_member" "api" {
  for_each = var.api_image == null ? [] : var.api_invokers

  name     = google_cloud_run_v2_service.api[0].name
  location = var.region
  member   = each.key
  role     = "roles/run.invoker"
}
