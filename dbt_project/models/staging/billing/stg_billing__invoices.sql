with

source as (
    {{ accepted_rows("raw_billing", "invoices") }}
),

renamed as (
    select
        -- ids
        {{ cast_or_null("invoice_id", "text") }} as invoice_id,
        {{ cast_or_null("subscription_id", "text") }} as subscription_id,
        {{ cast_or_null("customer_id", "text") }} as customer_id,

        -- strings
        {{ cast_or_null("currency", "text") }} as currency,
        {{ cast_or_null("status", "text") }} as status,

        -- numerics
        {{ cast_or_null("amount", "numeric(18,4)") }} as amount,

        -- timestamps
        {{ cast_or_null("period_start", "timestamp") }} as period_started_at,
        {{ cast_or_null("period_end", "timestamp") }} as period_ended_at,
        {{ cast_or_null("issued_at", "timestamp") }} as issued_at

    from source
)

select * from renamed
where {{ known_by_as_of("issued_at") }}
