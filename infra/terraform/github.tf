# GitHub Actions signs in by what GitHub says of the workflow. There is no key that could leak.
locals {
  deploys = var.github_repository != null
  # What GitHub says of a job in the environment of this name, which GitHub itself can guard by reviewers.
  subject = "repo:${coalesce(var.github_repository, "none/none")}:environment:${var.environment}"

  # All that Terraform makes here. Who may set the project's rights may give himself any: guard the main branch accordingly.
  deployer_roles = [
    "artifactregistry.admin", "bigquery.admin", "bigquerydatapolicy.admin", "cloudscheduler.admin", "cloudsql.admin",
    "compute.networkAdmin", "datacatalog.categoryAdmin", "iam.roleAdmin", "iam.serviceAccountAdmin",
    "iam.serviceAccountUser", "iam.workloadIdentityPoolAdmin", "iap.admin", "monitoring.admin",
    "resourcemanager.projectIamAdmin", "run.admin", "secretmanager.admin", "servicenetworking.networksAdmin",
    "serviceusage.serviceUsageAdmin", "storage.admin",
  ]
}

resource "google_iam_workload_identity_pool" "github" {
  count = local.deploys ? 1 : 0

  workload_identity_pool_id = "catalyst-github"
  display_name              = "GitHub Actions"

  depends_on = [google_project_service.used]
}

resource "google_iam_workload_identity_pool_provider" "github" {
  #checkov:skip=CKV_GCP_125:It reads the subject as it is written, and here that is made of variables; tests/run.tftest.hcl holds what comes out.
  count = local.deploys ? 1 : 0

  workload_identity_pool_id          = google_iam_workload_identity_pool.github[0].workload_identity_pool_id
  workload_identity_pool_provider_id = "github"

  attribute_mapping   = { "google.subject" = "assertion.sub" }
  attribute_condition = "assertion.sub == '${local.subject}' && assertion.ref == 'refs/heads/main'"

  oidc {
    issuer_uri = "https://token.actions.githubusercontent.com"
  }
}

resource "google_service_account" "deployer" {
  count = local.deploys ? 1 : 0

  account_id   = "catalyst-deployer"
  display_name = "Catalyst deployer"
  description  = "Applies this configuration and pushes images, from GitHub Actions only."
}

resource "google_service_account_iam_member" "github" {
  count = local.deploys ? 1 : 0

  service_account_id = google_service_account.deployer[0].name
  member             = "principal://iam.googleapis.com/${google_iam_workload_identity_pool.github[0].name}/subject/${local.subject}"
  role               = "roles/iam.workloadIdentityUser"
}

resource "google_project_iam_member" "deployer" {
  for_each = local.deploys ? toset(local.deployer_roles) : []

  project = var.project_id
  member  = google_service_account.deployer[0].member
  role    = "roles/${each.key}"
}

# The budget is the billing account's.
resource "google_billing_account_iam_member" "deployer" {
  for_each = local.deploys ? toset(["billing.costsManager", "billing.viewer"]) : []

  billing_account_id = var.billing_account
  member             = google_service_account.deployer[0].member
  role               = "roles/${each.key}"
}
