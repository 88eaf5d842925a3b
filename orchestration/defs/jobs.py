"""The one job, from raw feeds to published decisions, and its daily schedule."""

import dagster as dg

daily = dg.define_asset_job(
    "daily",
    selection=dg.AssetSelection.all(),
    description="Lands every feed, builds the marts, forecasts, decides and publishes, for one as-of date.",
)

# Six in the morning, UTC: the files of the day before have arrived, and the first buyer is not at the desk yet.
every_morning = dg.ScheduleDefinition(job=daily, cron_schedule="0 6 * * *", execution_timezone="UTC")
