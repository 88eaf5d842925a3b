with

published_rates as (
    -- The rate of the euro is no matter of opinion.
    select * from {{ ref("stg_treasury__exchange_rates") }}
    where currency != 'EUR'
),

seed_rates as (
    select
        currency,
        {{ cast_or_null("eur_rate", "numeric(18,6)") }} as eur_rate,
        {{ cast_or_null("valid_from", "date") }} as rate_date
    from {{ ref("currency_rates") }}
),

first_published_rates as (
    select
        currency,
        min(rate_date) as first_rate_date
    from published_rates
    group by currency
),

quoted as (
    select
        currency,
        eur_rate,
        rate_date,
        'feed' as rate_source
    from published_rates

    union all

    -- What the feed does not have: other currencies, and the time before its first rate.
    select
        seed_rates.currency,
        seed_rates.eur_rate,
        seed_rates.rate_date,
        'seed' as rate_source
    from seed_rates
    left join first_published_rates on seed_rates.currency = first_published_rates.currency
    where seed_rates.rate_date < coalesce(first_published_rates.first_rate_date, {{ end_of_time() }})
),

held as (
    -- Saturday has the rate of Friday: a rate holds until the day before the next one.
    select
        quoted.*,
        coalesce(
            {{ add_days("lead(rate_date) over (partition by currency order by rate_date asc nulls last)", -1) }},
            {{ as_of() }}
        ) as last_day
    from quoted
    where rate_date <= {{ as_of() }}
),

dated as (
    select
        held.currency,
        {{ add_days("held.rate_date", "n") }} as valid_on,
        held.eur_rate,
        held.rate_date,
        held.rate_source
    from held
    cross join {{ numbers(0, days_between("held.rate_date", "held.last_day")) }}
)

select * from dated
