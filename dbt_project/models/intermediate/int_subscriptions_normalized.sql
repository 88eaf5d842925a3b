with

subscriptions as (select * from {{ ref("stg_billing__subscriptions") }}),

customer_ids as (
    select * from {{ ref("int_customer_ids") }}
    where is_register
),

identified as (
    select
        subscriptions.*,
        customer_ids.customer_id as resolved_customer_id
    from subscriptions
    left join customer_ids on subscriptions.customer_id = customer_ids.source_customer_id
),

measured as (
    -- Whole numbers, so that half a cent is exactly half a cent: the amount in 1/10,000 and the months that it pays for
    -- as a fraction (a week is 12/52 of a month).
    select
        identified.*,
        {{ cast_or_null("unit_amount * 10000", "bigint") }} * quantity as ten_thousandths,
        case billing_interval when 'week' then 52 when 'month' then 1 when 'quarter' then 1 when 'year' then 1 end
            as intervals,
        case billing_interval when 'week' then 12 when 'month' then 1 when 'quarter' then 3 when 'year' then 12 end
        * interval_count as months
    from identified
),

rounded as (
    select
        measured.*,
        sign(ten_thousandths) * floor(
            {{ safe_divide("2 * abs(ten_thousandths) * intervals + 100 * months", "200 * months") }}
        ) as monthly_cents
    from measured
),

normalized as (
    select
        subscription_id,
        coalesce(resolved_customer_id, customer_id) as customer_id,
        plan_id,
        status,
        currency,
        {{ cast_or_null("monthly_cents / 100", "numeric(18,2)") }} as monthly_amount,
        cast(started_at as date) as started_on,
        cast(ended_at as date) as ended_on,
        cast(updated_at as date) as known_from,
        coalesce(
            cast(lead(updated_at) over (partition by subscription_id order by updated_at asc nulls last) as date),
            {{ end_of_time() }}
        ) as known_until
    from rounded
)

select * from normalized
