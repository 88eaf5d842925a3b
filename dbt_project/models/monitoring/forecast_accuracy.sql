-- never null: interval_low, interval_high, units
with

backtest as (
    select * from {{ source("predictions", "demand_forecast_backtest") }}
    where as_of_date <= {{ as_of() }}
),

products as (select * from {{ ref("products") }}),

scopes as (
    select 'all' as scope_kind
    union all
    select 'category' as scope_kind
    union all
    select 'horizon' as scope_kind
),

scored as (
    -- Exact numbers: a sum of doubles would change in its last digits from run to run.
    select
        backtest.as_of_date,
        case
            when scopes.scope_kind = 'all' then 'all'
            when scopes.scope_kind = 'category' then coalesce(products.category, 'Other')
            when backtest.horizon <= 7 then 'days 1-7'
            when backtest.horizon <= 14 then 'days 8-14'
            else 'days 15 and later'
        end as scope,
        {{ cast_or_null("backtest.units", "numeric(18,6)") }} as units,
        {{ cast_or_null("backtest.mean_units - backtest.units", "numeric(18,6)") }} as deviation,
        {{ cast_or_null("backtest.seasonal_naive - backtest.units", "numeric(18,6)") }} as naive_deviation,
        -- A count stands for the stretch of half a unit to either side of it, of which the interval holds a share.
        {{ cast_or_null(
            "greatest(0, least(backtest.interval_high, backtest.units + 0.5)"
            ~ " - greatest(backtest.interval_low, backtest.units - 0.5))", "numeric(18,6)"
        ) }} as covered
    from backtest
    cross join scopes
    left join products on backtest.product_id = products.product_id
    where backtest.units is not null
),

summed as (
    select
        as_of_date,
        scope,
        {{ cast_or_null("sum(units)", "double") }} as units,
        {{ cast_or_null("sum(deviation)", "double") }} as deviation,
        {{ cast_or_null("sum(abs(deviation))", "double") }} as absolute_error,
        {{ cast_or_null("sum(abs(naive_deviation))", "double") }} as naive_absolute_error,
        {{ cast_or_null("sum(covered)", "double") }} as covered,
        count(*) as row_count
    from scored
    group by as_of_date, scope
),

measured as (
    select
        as_of_date,
        scope,
        {{ safe_divide("absolute_error", "units") }} as wape,
        {{ safe_divide("naive_absolute_error", "units") }} as naive_wape,
        {{ safe_divide("deviation", "units") }} as bias,
        {{ safe_divide("covered", "row_count") }} as coverage_80,
        row_count as {{ adapter.quote("rows") }}
    from summed
)

select * from measured
