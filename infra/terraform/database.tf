# Postgres for Dagster's runs and MLflow's models, reachable from the network here only.
resource "google_compute_network" "catalyst" {
  #checkov:skip=CKV2_GCP_18:A network lets nothing in unless a firewall rule does, and there is none.
  name                    = "catalyst"
  auto_create_subnetworks = false

  depends_on = [google_project_service.used]
}

resource "google_compute_subnetwork" "catalyst" {
  name                     = "catalyst"
  network                  = google_compute_network.catalyst.id
  region                   = var.region
  ip_cidr_range            = "10.10.0.0/24"
  private_ip_google_access = true

  log_config {
    aggregation_interval = "INTERVAL_10_MIN"
    flow_sampling        = 0.1
    metadata             = "INCLUDE_ALL_METADATA"
  }
}

resource "google_compute_global_address" "services" {
  name          = "catalyst-services"
  network       = google_compute_network.catalyst.id
  address_type  = "INTERNAL"
  purpose       = "VPC_PEERING"
  prefix_length = 20
}

resource "google_service_networking_connection" "services" {
  network                 = google_compute_network.catalyst.id
  service                 = "servicenetworking.googleapis.com"
  reserved_peering_ranges = [google_compute_global_address.services.name]

  depends_on = [google_project_service.used]
}

resource "google_sql_database_instance" "catalyst" {
  #checkov:skip=CKV_GCP_111:Dagster writes an event by a statement each; a log of them would outgrow the database.
  #checkov:skip=CKV2_GCP_13:As for the statements themselves, of which this logs the duration.
  #checkov:skip=CKV_GCP_108:Who connects is one of three accounts of ours, by a socket without a host name.
  name                = "catalyst"
  database_version    = "POSTGRES_18"
  region              = var.region
  deletion_protection = local.is_prod

  settings {
    tier                        = var.database_tier
    edition                     = "ENTERPRISE"
    deletion_protection_enabled = local.is_prod

    backup_configuration {
      enabled                        = true
      point_in_time_recovery_enabled = true
    }

    ip_configuration {
      ipv4_enabled    = false
      private_network = google_compute_network.catalyst.id
      # Cloud Run's socket has a certificate; nothing else gets in.
      ssl_mode = "TRUSTED_CLIENT_CERTIFICATE_REQUIRED"
    }

    database_flags {
      name  = "cloudsql.enable_pgaudit"
      value = "on"
    }
    database_flags {
      name  = "log_checkpoints"
      value = "on"
    }
    database_flags {
      name  = "log_connections"
      value = "on"
    }
    database_flags {
      name  = "log_disconnections"
      value = "on"
    }
    database_flags {
      name  = "log_lock_waits"
      value = "on"
    }
    database_flags {
      name  = "log_min_error_statement"
      value = "error"
    }
  }

  depends_on = [google_service_networking_connection.services]
}

resource "google_sql_database" "dagster" {
  name     = "dagster"
  instance = google_sql_database_instance.catalyst.name
}

resource "google_project_iam_member" "connects" {
  for_each = {
    ml     = google_service_account.duty["ml"].member
    runner = google_service_account.duty["runner"].member
    ui     = google_service_account.ui.member
  }

  project = var.project_id
  member  = each.value
  role    = "roles/cloudsql.client"
}
