with

resolved as (
    select * from {{ source("identities", "customers") }}
    where {{ known_by_as_of("as_of_date") }}
),

ranked as (
    select
        record_id,
        source_name,
        source_customer_id,
        is_register,
        customer_id,
        row_number() over (partition by record_id order by as_of_date desc nulls last) as recency_rank
    from resolved
),

latest as (
    select
        record_id,
        source_name,
        source_customer_id,
        is_register,
        customer_id
    from ranked
    where recency_rank = 1
)

select * from latest
