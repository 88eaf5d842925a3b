with

recorded as (
    select * from {{ ref("mrr_closed_months") }}
    where version > 1
),

restated as (
    select
        month,
        customer_id,
        currency,
        version,
        previous_amount as old_amount,
        amount as new_amount,
        previous_amount_eur as old_amount_eur,
        amount_eur as new_amount_eur,
        cause,
        recorded_as_of as restated_as_of
    from recorded
)

select * from restated
