with

forecast as (
    select * from {{ source("predictions", "demand_forecast") }}
    where as_of_date = {{ as_of() }}
),

locations as (select * from {{ ref("locations") }}),

offers as (
    select
        int_supplier_offers_ranked.*,
        {{ cast_or_null("ceil(lead_time_days)", "bigint") }} as whole_lead_time_days
    from {{ ref("int_supplier_offers_ranked") }} as int_supplier_offers_ranked
    where offer_rank = 1
),

daily as (
    -- Exact numbers: a sum of doubles would change in its last digits from run to run.
    select
        locations.warehouse_id,
        forecast.product_id,
        {{ days_between("forecast.as_of_date", "forecast.target_date") }} as day_number,
        sum({{ cast_or_null("forecast.mean_units", "numeric(18,6)") }}) as units,
        sum({{ cast_or_null("(forecast.p90 - forecast.p50) * (forecast.p90 - forecast.p50)", "numeric(18,6)") }})
            as squared_spread
    from forecast
    inner join locations on forecast.store_id = locations.location_id
    where locations.warehouse_id is not null
    group by locations.warehouse_id, forecast.product_id, forecast.as_of_date, forecast.target_date
),

means as (
    select
        warehouse_id,
        product_id,
        {{ safe_divide(cast_or_null("sum(units)", "double"), "count(*)") }} as units,
        {{ safe_divide(cast_or_null("sum(squared_spread)", "double"), "count(*)") }} as squared_spread
    from daily
    group by warehouse_id, product_id
),

covered_days as (
    -- An order placed now must last until the delivery of the next one; beyond the forecast's horizon its mean goes on.
    select
        means.warehouse_id,
        means.product_id,
        n as day_number,
        n <= offers.whole_lead_time_days as is_lead_time,
        means.units as mean_units,
        {{ cast_or_null("coalesce(daily.units, means.units)", "numeric(18,6)") }} as units,
        {{ cast_or_null("coalesce(daily.squared_spread, means.squared_spread)", "numeric(18,6)") }} as squared_spread
    from means
    inner join offers on means.product_id = offers.product_id
    cross join {{ numbers(1, "offers.whole_lead_time_days + " ~ var("purchase_review_days")) }}
    left join daily
        on
            means.warehouse_id = daily.warehouse_id
            and means.product_id = daily.product_id
            and daily.day_number = n
),

cumulated as (
    select
        covered_days.*,
        sum(units) over (
            partition by warehouse_id, product_id
            order by day_number asc nulls last
            rows between unbounded preceding and current row
        ) as units_so_far
    from covered_days
)

select * from cumulated
