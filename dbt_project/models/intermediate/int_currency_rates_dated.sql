with

rates as (
    select
        currency,
        {{ cast_or_null("eur_rate", "numeric(18,6)") }} as eur_rate,
        {{ cast_or_null("valid_from", "date") }} as valid_from
    from {{ ref("currency_rates") }}
),

dated as (
    select
        rates.*,
        coalesce(
            lead(valid_from) over (partition by currency order by valid_from asc nulls last),
            {{ end_of_time() }}
        ) as valid_until
    from rates
)

select * from dated
