# What the business works with; nothing that holds data can be destroyed. Replace every name by your own.
project_id  = "my-company-catalyst"
environment = "prod"
location    = "EU"
region      = "europe-west3"

billing_account = "000000-000000-000000"
monthly_budget  = 1000
alert_emails    = ["data-team@example.com"]

bi_groups  = ["analysts@example.com"]
pii_groups = ["customer-care@example.com"]

# row_access = {
#   germany = {
#     dataset = "core_analytics"
#     table   = "orders"
#     filter  = "country = 'DE'"
#     groups  = ["sales-germany@example.com"]
#   }
# }

secrets           = ["CATALYST_ALERTS"]
github_repository = "my-company/catalyst"
