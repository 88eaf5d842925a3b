-- never null: price, price_cut, discount_rate, started_at, updated_at
with

subscriptions as (select * from {{ ref("stg_billing__subscriptions") }}),

currencies as (select * from {{ ref("currencies") }}),

customer_ids as (
    select * from {{ ref("int_customer_ids") }}
    where is_register
),

measured as (
    -- Whole numbers, so that half a cent is exactly half a cent: amounts and the currency's smallest unit in 1/10,000,
    -- and the months that a bill pays for as a fraction (a week is 12/52 of a month).
    select
        subscriptions.*,
        coalesce(customer_ids.customer_id, subscriptions.customer_id) as resolved_customer_id,
        {{ cast_or_null("subscriptions.unit_amount * 10000", "bigint") }} * subscriptions.quantity as price,
        coalesce({{ cast_or_null("subscriptions.discount_percent * 100", "bigint") }}, 0) as discount_rate,
        coalesce({{ cast_or_null("subscriptions.discount_amount * 10000", "bigint") }}, 0) as price_cut,
        {{ cast_or_null("power(10, 4 - coalesce(currencies.minor_units, 2))", "bigint") }} as smallest_unit,
        case subscriptions.billing_interval when 'day' then 365 when 'week' then 52 else 1 end as intervals,
        case subscriptions.billing_interval when 'month' then 1 when 'quarter' then 3 else 12 end
        * subscriptions.interval_count as months
    from subscriptions
    left join currencies on subscriptions.currency = currencies.currency
    left join customer_ids on subscriptions.customer_id = customer_ids.source_customer_id
),

discounted as (
    select
        measured.*,
        greatest({{ divide_half_up("price * (10000 - discount_rate)", "10000") }} - price_cut, 0) as discounted_price
    from measured
),

rounded as (
    select
        discounted.*,
        {{ divide_half_up("price * intervals", "smallest_unit * months") }} * smallest_unit as monthly,
        {{ divide_half_up("discounted_price * intervals", "smallest_unit * months") }} * smallest_unit as monthly_less
    from discounted
),

placed as (
    -- The first state counts from the start of the subscription, however late somebody entered it.
    select
        rounded.*,
        case
            when lag(updated_at) over (partition by subscription_id order by updated_at asc nulls last) is null
                then {{ reporting_date("started_at") }}
            else greatest({{ reporting_date("updated_at") }}, {{ reporting_date("started_at") }})
        end as valid_from,
        coalesce(lag(status) over (partition by subscription_id order by updated_at asc nulls last), '') != 'past_due'
        and status = 'past_due' as is_failure
    from rounded
),

normalized as (
    -- An end that became known late ends the states before it too; the latest state says whether there ever was one.
    select
        subscription_id,
        resolved_customer_id as customer_id,
        plan_id,
        status,
        currency,
        {{ cast_or_null("monthly / 10000", "numeric(18,4)") }} as monthly_amount,
        {{ cast_or_null("monthly_less / 10000", "numeric(18,4)") }} as discounted_monthly_amount,
        last_value(is_deleted) over (
            partition by subscription_id order by updated_at asc nulls last
            rows between current row and unbounded following
        ) as is_deleted,
        {{ reporting_date("trial_ends_at") }} as trial_ends_on,
        case
            when discounted_price < price then coalesce({{ reporting_date("discount_ends_at") }}, {{ end_of_time() }})
        end as discount_ends_on,
        case when status = 'past_due' then max(case when is_failure then valid_from end) over (
            partition by subscription_id order by updated_at asc nulls last
            rows between unbounded preceding and current row
        ) end as past_due_from,
        min({{ reporting_date("canceled_at") }}) over (
            partition by subscription_id order by updated_at asc nulls last
            rows between current row and unbounded following
        ) as canceled_on,
        min({{ reporting_date("ended_at") }}) over (
            partition by subscription_id order by updated_at asc nulls last
            rows between current row and unbounded following
        ) as ended_on,
        valid_from,
        coalesce(
            lead(valid_from) over (partition by subscription_id order by updated_at asc nulls last), {{ end_of_time() }}
        ) as valid_until
    from placed
)

select * from normalized
where is_deleted is not true and valid_from < valid_until
