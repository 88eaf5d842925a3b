"""What a feature table declares in its YAML, so that a new model's features are found by the name of their file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import yaml

from orchestration.errors import CatalystError
from orchestration.settings import REPOSITORY, Settings

# What a row says of itself rather than of its entity.
TIMES = ("origin_date", "target_date", "event_at", "known_at", "purpose")


@dataclass(frozen=True)
class FeatureSet:
    """What the YAML of a feature table says.

    Attributes:
        name: As models and callers know it: `churn` is the table feature_store.churn_features.
        entity: The columns that name one entity.
        labels: The columns that a model is to predict; known once `target_date` is over, and never served.
        expires_after: How long after `event_at` a row may be used.
    """

    name: str
    entity: tuple[str, ...]
    labels: tuple[str, ...]
    expires_after: timedelta

    @property
    def table(self) -> str:
        """The table with its schema."""
        return f"feature_store.{self.name}_features"


def feature_sets(settings: Settings) -> dict[str, FeatureSet]:
    """Returns every feature set of the project and of the built-in one, by name; the project's own come first.

    Raises:
        CatalystError: A feature table lacks one of its declarations.
    """
    found: dict[str, FeatureSet] = {}
    for project in dict.fromkeys((settings.project, REPOSITORY / "dbt_project")):
        for path in sorted((project / "models").rglob("feature_store/**/*_features.yml")):
            for model in (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get("models", []):
                declared = model.get("config", {}).get("meta", {}).get("features")
                name = str(model["name"]).removesuffix("_features")
                if declared is None or name in found:
                    continue
                try:
                    found[name] = FeatureSet(
                        name,
                        tuple(declared["entity"]),
                        tuple(declared.get("labels", ())),
                        timedelta(days=declared["expires_after_days"]),
                    )
                except KeyError as error:
                    raise CatalystError(
                        f"The features of {model['name']} in {path} do not say {error}: add it under config: meta: "
                        "features, where `entity` and `expires_after_days` belong."
                    ) from error
    return found
