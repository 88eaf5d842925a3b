# A rehearsal: smaller, cheaper, and it may be destroyed. Replace every name by your own.
project_id  = "my-company-catalyst-staging"
environment = "staging"
location    = "EU"
region      = "europe-west3"

billing_account = "000000-000000-000000"
monthly_budget  = 100
alert_emails    = ["data-team@example.com"]

bi_groups  = ["data-team@example.com"]
pii_groups = []

run_memory    = "4Gi"
database_tier = "db-f1-micro"

github_repository = "my-company/catalyst"
