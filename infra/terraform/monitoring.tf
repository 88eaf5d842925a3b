resource "google_monitoring_notification_channel" "email" {
  for_each = var.alert_emails

  display_name = "Catalyst: ${each.key}"
  type         = "email"
  labels       = { email_address = each.key }

  depends_on = [google_project_service.used]
}

locals {
  channels = [for channel in google_monitoring_notification_channel.email : channel.id]
}

resource "google_monitoring_alert_policy" "run_failed" {
  display_name          = "Catalyst: a run failed"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.channels

  conditions {
    display_name = "An execution of the job catalyst-run failed"

    condition_threshold {
      filter = join(" AND ", [
        "resource.type = \"cloud_run_job\"",
        "resource.labels.job_name = \"catalyst-run\"",
        "metric.type = \"run.googleapis.com/job/completed_execution_count\"",
        "metric.labels.result = \"failed\"",
      ])
      comparison      = "COMPARISON_GT"
      threshold_value = 0
      duration        = "0s"

      aggregations {
        alignment_period   = "300s"
        per_series_aligner = "ALIGN_DELTA"
      }
    }
  }

  documentation {
    content = "What was published before stays as it is. The last lines of the execution's log say why it failed and what to do."
  }
}

resource "google_monitoring_alert_policy" "run_not_started" {
  display_name          = "Catalyst: a run did not start"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.channels

  conditions {
    display_name = "Cloud Scheduler could not start the job catalyst-run"

    condition_matched_log {
      filter = join(" AND ", [
        "resource.type = \"cloud_scheduler_job\"",
        "resource.labels.job_id = \"catalyst-run\"",
        "severity >= ERROR",
      ])
    }
  }

  # A condition on logs asks for it.
  alert_strategy {
    notification_rate_limit {
      period = "3600s"
    }
  }

  documentation {
    content = "Start it by hand: gcloud run jobs execute catalyst-run --region ${var.region}"
  }
}
