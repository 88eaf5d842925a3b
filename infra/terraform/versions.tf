terraform {
  # Above 1.9 a validation may look at other variables.
  required_version = ">= 1.9"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 8.7, < 9.0"
    }
  }

  # Which bucket is said by `terraform init -backend-config="bucket=..."`, so that every environment has a state of its own.
  backend "gcs" {
    prefix = "catalyst"
  }
}

provider "google" {
  project = var.project_id
  region  = var.region

  # The budget's API counts against the project of the caller.
  billing_project       = var.project_id
  user_project_override = true

  default_labels = {
    application = "catalyst"
    environment = var.environment
  }
}

data "google_project" "this" {
  project_id = var.project_id
}

# What is used below and is off in a new project.
resource "google_project_service" "used" {
  for_each = toset([
    "artifactregistry", "bigquery", "bigquerydatapolicy", "billingbudgets", "cloudscheduler", "compute", "datacatalog",
    "iam", "iamcredentials", "iap", "monitoring", "run", "secretmanager", "servicenetworking", "sqladmin", "storage",
    "sts",
  ])

  service            = "${each.key}.googleapis.com"
  disable_on_destroy = false
}
