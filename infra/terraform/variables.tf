variable "project_id" {
  description = "The Google Cloud project that holds everything here; one for each environment."
  type        = string
}

variable "environment" {
  description = "Which of the environments this is. In prod nothing that holds data can be destroyed."
  type        = string

  validation {
    condition     = contains(["staging", "prod"], var.environment)
    error_message = "environment must be staging or prod."
  }
}

variable "location" {
  description = "Where the datasets and buckets are, such as EU, US or europe-west3. It cannot be changed later."
  type        = string
}

variable "region" {
  description = "The region of everything that has no multi-region, such as europe-west3; within the location."
  type        = string
}

variable "sources" {
  description = "The sources that are landed, a folder of orchestration/feeds each; each gets the dataset raw_<source>."
  type        = set(string)
  default = [
    "app", "billing", "crm", "erp", "logistics", "market", "marketing", "pos", "treasury", "web", "wms",
  ]

  validation {
    condition     = alltrue([for source in var.sources : can(regex("^[a-z0-9_]+$", source))])
    error_message = "A source is named in lower case letters, digits and underscores."
  }
}

variable "bi_groups" {
  description = "Google groups, as e-mail addresses, whose members read what is published and the reports."
  type        = set(string)
  default     = []
}

variable "pii_groups" {
  description = "Google groups, as e-mail addresses, whose members see personal data in clear where they may read a table."
  type        = set(string)
  default     = []
}

variable "row_access" {
  description = "Groups that see some rows of a table only: a dataset restricted_<key> with a view of those rows each."
  type = map(object({
    dataset = string
    table   = string
    filter  = string
    groups  = set(string)
  }))
  default = {}
}

variable "image" {
  description = "Catalyst's image in the registry that is made here; null as long as there is none, and then nothing runs."
  type        = string
  default     = null
}

variable "api_image" {
  description = "The image of an API that serves predictions; null = there is none."
  type        = string
  default     = null
}

variable "api_invokers" {
  description = "Who may call the API, such as serviceAccount:shop@my-project.iam.gserviceaccount.com."
  type        = set(string)
  default     = []

  validation {
    condition     = length(setintersection(var.api_invokers, ["allUsers", "allAuthenticatedUsers"])) == 0
    error_message = "The API is never open to everybody: name accounts or groups."
  }
}

variable "schedule" {
  description = "When the daily run starts, as cron writes it, in UTC. It answers for the day before."
  type        = string
  default     = "0 3 * * *"
}

variable "run_memory" {
  description = "The memory of the daily run, which holds the sample that a model is trained on."
  type        = string
  default     = "8Gi"
}

variable "run_timeout_hours" {
  description = "After how many hours a run is ended and counts as failed."
  type        = number
  default     = 6
}

variable "settings" {
  description = "Further settings of Catalyst for the daily run, such as CATALYST_PROJECT; none that is secret."
  type        = map(string)
  default     = {}
}

variable "secrets" {
  description = "Environment variables of the daily run that are kept in Secret Manager: credentials of feeds, CATALYST_ALERTS, CATALYST_REDIS_URL."
  type        = set(string)
  default     = []
}

variable "database_tier" {
  description = "The machine type of the Postgres of Dagster and MLflow."
  type        = string
  default     = "db-custom-1-3840"
}

variable "alert_emails" {
  description = "Who is told of a run that failed or did not start, and of costs."
  type        = set(string)

  validation {
    condition     = length(var.alert_emails) > 0
    error_message = "Name at least one address: a run that fails unseen is worse than none."
  }
}

variable "billing_account" {
  description = "The billing account of the project, such as 012345-6789AB-CDEF01."
  type        = string
}

variable "monthly_budget" {
  description = "What the project may cost in a month, in the currency of the billing account; alerts come at 50, 90 and 100 %."
  type        = number
}

variable "github_repository" {
  description = "The repository, as owner/name, whose workflow deploys from its main branch; null = none does."
  type        = string
  default     = null
}

locals {
  is_prod         = var.environment == "prod"
  deletion_policy = local.is_prod ? "PREVENT" : "DELETE"
}
