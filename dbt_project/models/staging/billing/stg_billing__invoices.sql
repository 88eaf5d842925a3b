with

source as (
    {{ accepted_rows("raw_billing", "invoices") }}
),

renamed as (
    select
        -- ids
        {{ identifier("invoice_id") }} as invoice_id,
        {{ identifier("subscription_id") }} as subscription_id,
        {{ identifier("customer_id") }} as customer_id,

        -- strings
        {{ cast_or_null("currency", "text") }} as currency,
        {{ cast_or_null("status", "text") }} as status,

        -- numerics
        {{ cast_or_null("amount", "numeric(18,4)") }} as amount,

        -- dates
        {{ cast_or_null("period_start", "date") }} as period_start_date,
        {{ cast_or_null("period_end", "date") }} as period_end_date,

        -- timestamps
        {{ cast_or_null("issued_at", "timestamp") }} as issued_at,

        -- landing
        landed_on

    from source
)

select * from renamed
where {{ known_by_as_of("issued_at", "landed_on") }}
