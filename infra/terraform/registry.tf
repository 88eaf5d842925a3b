resource "google_artifact_registry_repository" "catalyst" {
  #checkov:skip=CKV_GCP_84:The image is made from the public repository and holds no data and no secret.
  repository_id = "catalyst"
  description   = "Images of Catalyst, built from infra/docker/Dockerfile."
  location      = var.region
  format        = "DOCKER"

  # A tag says which commit an image was built from, and goes on saying so.
  docker_config {
    immutable_tags = true
  }

  cleanup_policies {
    id     = "keep-recent"
    action = "KEEP"
    most_recent_versions {
      keep_count = 10
    }
  }

  cleanup_policies {
    id     = "delete-old"
    action = "DELETE"
    condition {
      older_than = "7776000s"
    }
  }

  depends_on = [google_project_service.used]
}

locals {
  registry = "${var.region}-docker.pkg.dev/${var.project_id}/${google_artifact_registry_repository.catalyst.repository_id}"
}
