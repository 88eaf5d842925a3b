with

competitor_prices as (select * from {{ ref("stg_market__competitor_prices") }}),

units as (select * from {{ ref("unit_conversions") }}),

rates as (select * from {{ ref("int_currency_rates_dated") }}),

observed as (
    select
        competitor_prices.*,
        cast(observed_at as date) as observed_on,
        row_number() over (
            partition by product_id, competitor, cast(observed_at as date)
            order by observed_at desc nulls last, observation_id asc nulls last
        ) as recency_rank
    from competitor_prices
),

harmonized as (
    select
        observed.observation_id,
        observed.product_id,
        observed.competitor,
        observed.observed_on,
        observed.price,
        observed.currency,
        observed.pack_size,
        observed.unit_of_measure,
        units.base_unit,
        {{ cast_or_null(
            safe_divide("observed.price * rates.eur_rate", "observed.pack_size * units.factor"), "numeric(18,4)"
        ) }} as unit_price_eur,
        observed.url
    from observed
    left join units on lower(observed.unit_of_measure) = units.unit
    left join rates on observed.currency = rates.currency and observed.observed_on = rates.valid_on
    where observed.recency_rank = 1
)

select * from harmonized
