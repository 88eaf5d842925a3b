"""What BigQuery refuses, as sentences that say what to do: which role to grant on what, or which setting to change.

By the text of the message alone, which is all that dbt passes on of an error.
"""

from __future__ import annotations

import re

SIGN_IN = (
    "Run `gcloud auth application-default login`, or run as a service account with the roles of infra/terraform; "
    "then run again."
)
_PERMISSION = re.compile(r"\b(bigquery|storage|datacatalog|serviceusage)\.(\w+\.\w+)")
_WHERE = re.compile(r"\b(?:Dataset|Table) ([\w.-]+):(\w+)")
_BUCKET = re.compile(r"gs://([\w.-]+)|buckets/([\w.-]+)")
# The first one holds of whose signs one stands in the message.
_REMEDIES = {
    ("default credentials were not found", "Reauthentication is needed", "invalid_grant", "Could not auto"): SIGN_IN,
    ("quotaExceeded", "rateLimitExceeded", "Quota exceeded", "Exceeded rate limits"): (
        "A quota of the project {project} is used up: wait and run again, or raise it in the Google Cloud console."
    ),
    ("bytes billed", "bytesBilledLimitExceeded"): (
        "It would read more than one query may: raise CATALYST_MAX_BYTES_BILLED if that is meant."
    ),
    ("has not been used in project", "accessNotConfigured"): (
        "Switch the API on: `gcloud services enable bigquery.googleapis.com --project {project}`."
    ),
    ("billingNotEnabled", "Billing has not been enabled"): "Link the project {project} to a billing account.",
    ("Not found: Table",): "Run `catalyst run` first, which makes the tables.",
    ("Not found: Dataset", "Not found: Project"): (
        "Run `catalyst run` first, which makes the datasets, and check CATALYST_GCP_PROJECT and CATALYST_LOCATION: "
        "BigQuery looks in one location alone."
    ),
}
_DENIED = ("Access Denied", "Permission", "does not have", "denied")

# By what a permission is about, the role that has it and no more than needed, and what to grant it on.
_ROLES = {
    "bigquery.jobs": ("roles/bigquery.jobUser", "the project"),
    "bigquery.datasets": ("roles/bigquery.user", "the project, or let infra/terraform make the dataset"),
    "bigquery.readsessions": ("roles/bigquery.readSessionUser", "the project"),
    "datacatalog.categories": ("roles/datacatalog.categoryFineGrainedReader", "the policy tag of personal data"),
    "serviceusage.services": ("roles/serviceusage.serviceUsageConsumer", "the project"),
}


def remedy(said: str, project: str, account: str = "") -> str:
    """Returns the sentence that says what to do about a refusal; empty where nothing is known to help.

    Args:
        said: What BigQuery, Google's client or dbt said.
        project: The project that was worked on.
        account: Who asked, where that is known.
    """
    for signs, sentence in _REMEDIES.items():
        if any(sign in said for sign in signs):
            return sentence.format(project=project)
    if any(sign in said for sign in _DENIED):
        role, where = _missing(said, project)
        return f"Grant {account or 'the account that Catalyst runs as'} {role} on {where}."
    return ""


def _missing(said: str, project: str) -> tuple[str, str]:
    found = _PERMISSION.search(said)
    if found and found[1] == "storage":
        bucket = _BUCKET.search(said)
        named = (bucket[1] or bucket[2]) if bucket else ""
        return "roles/storage.objectAdmin", f"the bucket {named}" if named else "the landing bucket"
    kind = f"{found[1]}.{found[2].split('.')[0]}" if found else ""
    if kind in _ROLES:
        role, where = _ROLES[kind]
        return role, where.replace("the project", f"the project {project}", 1)
    table = _WHERE.search(said)
    return "roles/bigquery.dataEditor", f"the dataset {table[1]}.{table[2]}" if table else f"the project {project}"
