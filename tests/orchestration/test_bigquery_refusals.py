"""What BigQuery refuses is told with the role to grant, on what and to whom, or with the setting to change."""

from __future__ import annotations

import pytest
from google.api_core.exceptions import Forbidden
from google.auth.exceptions import DefaultCredentialsError

from orchestration import bigquery
from orchestration.bigquery import BigQuery
from orchestration.bigquery_refusals import remedy
from orchestration.errors import CatalystError

ACCOUNT = "transform@shop.iam.gserviceaccount.com"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            "Access Denied: Project shop: User does not have bigquery.jobs.create permission in project shop.",
            f"Grant {ACCOUNT} roles/bigquery.jobUser on the project shop.",
        ),
        (
            "Access Denied: Table shop:quality.loads: Permission bigquery.tables.getData denied on table quality.loads",
            f"Grant {ACCOUNT} roles/bigquery.dataEditor on the dataset shop.quality.",
        ),
        (
            "Access Denied: Dataset shop:decisions: Permission bigquery.tables.create denied on dataset decisions",
            f"Grant {ACCOUNT} roles/bigquery.dataEditor on the dataset shop.decisions.",
        ),
        (
            "Access Denied: Project shop: User does not have bigquery.datasets.create permission in project shop.",
            f"Grant {ACCOUNT} roles/bigquery.user on the project shop, or let infra/terraform make the dataset.",
        ),
        (
            "the user does not have 'bigquery.readsessions.create' permission for 'projects/shop'",
            f"Grant {ACCOUNT} roles/bigquery.readSessionUser on the project shop.",
        ),
        (
            f"{ACCOUNT} does not have storage.objects.create access to gs://shop-catalyst-landing/raw_pos",
            f"Grant {ACCOUNT} roles/storage.objectAdmin on the bucket shop-catalyst-landing.",
        ),
        ("Quota exceeded: Your project exceeded quota", "A quota of the project shop is used up"),
        ("Query exceeded limit for bytes billed: 1000. 2000 or higher required.", "raise CATALYST_MAX_BYTES_BILLED"),
        ("Not found: Dataset shop:quality was not found in location US", "check CATALYST_GCP_PROJECT"),
        ("Billing has not been enabled for this project", "Link the project shop to a billing account."),
        ("Your default credentials were not found.", "gcloud auth application-default login"),
    ],
)
def test_a_refusal_says_what_to_do(said: str, told: str) -> None:
    assert told in remedy(said, "shop", ACCOUNT)


def test_what_is_not_known_gets_no_advice() -> None:
    assert remedy("Syntax error: Expected end of input", "shop") == ""


def test_without_credentials_a_sentence_says_how_to_get_some(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BIGQUERY_EMULATOR_HOST", raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/key.json")
    bigquery._credentials.cache_clear()
    with pytest.raises(CatalystError, match="The credentials of Google cannot be used.*application-default login"):
        BigQuery("shop").query("select 1")


def test_the_reasons_that_googles_client_gives_count_beside_its_words() -> None:
    error = Forbidden("Too much", errors=[{"reason": "quotaExceeded"}])  # type: ignore[no-untyped-call]
    assert "A quota of the project shop is used up" in bigquery.sentence(error, "shop", "")
    missing = DefaultCredentialsError("nothing here")  # type: ignore[no-untyped-call]
    assert "application-default login" in bigquery.sentence(missing, "shop", "")
