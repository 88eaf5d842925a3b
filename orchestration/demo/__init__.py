"""The simulated company behind the default feeds: an omnichannel retailer with a subscription club.

`advance` writes its source systems up to a day; `orchestration.demo.api.serve` answers for its warehouses.
"""

from orchestration.demo.company import Company
from orchestration.demo.systems import AdvanceResult, advance

__all__ = ["AdvanceResult", "Company", "advance"]
