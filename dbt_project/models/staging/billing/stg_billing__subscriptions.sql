with

source as (
    {{ accepted_rows("raw_billing", "subscriptions") }}
),

renamed as (
    select
        -- ids
        {{ identifier("subscription_id") }} as subscription_id,
        {{ identifier("customer_id") }} as customer_id,
        {{ identifier("plan_id") }} as plan_id,

        -- strings
        {{ cast_or_null("status", "text") }} as status,
        {{ cast_or_null(adapter.quote("interval"), "text") }} as billing_interval,
        {{ cast_or_null("currency", "text") }} as currency,

        -- numerics
        {{ cast_or_null("interval_count", "bigint") }} as interval_count,
        {{ cast_or_null("quantity", "bigint") }} as quantity,
        {{ cast_or_null("unit_amount", "numeric(18,4)") }} as unit_amount,
        {{ cast_or_null("discount_percent", "numeric(18,4)") }} as discount_percent,
        {{ cast_or_null("discount_amount", "numeric(18,4)") }} as discount_amount,

        -- booleans
        {{ cast_or_null("is_deleted", "boolean") }} as is_deleted,

        -- timestamps
        {{ cast_or_null("started_at", "timestamp") }} as started_at,
        {{ cast_or_null("ended_at", "timestamp") }} as ended_at,
        {{ cast_or_null("trial_ends_at", "timestamp") }} as trial_ends_at,
        {{ cast_or_null("discount_ends_at", "timestamp") }} as discount_ends_at,
        {{ cast_or_null("canceled_at", "timestamp") }} as canceled_at,
        {{ cast_or_null("updated_at", "timestamp") }} as updated_at,

        -- landing
        landed_on

    from source
)

select * from renamed
where {{ known_by_as_of("updated_at", "landed_on") }}
