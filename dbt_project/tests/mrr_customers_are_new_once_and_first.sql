-- Nobody is new twice, and whatever else a customer does comes later.
select
    customer_id,
    min(month) as first_month,
    count(distinct case when movement = 'new' then month end) as months_new
from {{ ref("mrr_movements") }}
group by customer_id
having
    count(distinct case when movement = 'new' then month end) != 1
    or min(month) != min(case when movement = 'new' then month end)
