with

source as (
    {{ accepted_rows("raw_treasury", "exchange_rates") }}
),

renamed as (
    select
        -- strings
        {{ cast_or_null("currency", "text") }} as currency,

        -- numerics
        {{ cast_or_null("eur_rate", "numeric(18,6)") }} as eur_rate,

        -- dates
        {{ cast_or_null("rate_date", "date") }} as rate_date,

        -- timestamps
        {{ cast_or_null("published_at", "timestamp") }} as published_at,

        -- landing
        landed_on

    from source
)

select * from renamed
where {{ known_by_as_of("published_at", "landed_on") }}
