-- never null: days_known, horizon
with

series as (select * from {{ ref("demand_forecast_series") }}),

targets as (select * from {{ ref("demand_forecast_targets") }}),

weekdays as (select * from {{ ref("demand_forecast_weekdays") }}),

years as (select * from {{ ref("demand_forecast_years") }}),

discounts as (select * from {{ ref("demand_forecast_discounts") }}),

empty_weekdays as (select * from {{ ref("demand_forecast_empty_weekdays") }}),

empty_days as (select * from {{ ref("demand_forecast_empty_days") }}),

labels as (select * from {{ ref("daily_product_sales") }})

-- A mean divides by the days since the first sale where those are fewer than its window has.
select
    targets.origin_date,
    targets.target_date,
    series.store_id,
    series.product_id,
    series.category,
    targets.horizon,
    targets.purpose,
    case
        when targets.target_date <= {{ as_of() }} and empty_days.empty_date is null
            then {{ cast_or_null("coalesce(labels.units_sold, 0)", "double") }}
    end as units,
    series.level,
    series.mean_7,
    series.mean_28,
    series.mean_364,
    {{ safe_divide(
        "coalesce(weekdays.units_8_weeks, 0)",
        "floor((least(56, series.days_known) - 1 - targets.days_since_weekday) / 7) + 1"
        ~ " - coalesce(empty_weekdays.empty_days_56, 0)"
    ) }} as weekday_mean,
    {{ cast_or_null("coalesce(weekdays.units_last_week, 0)", "double") }} as seasonal_naive,
    case
        when series.days_known + targets.horizon > 361
            then {{ safe_divide(
                "coalesce(years.units_year_ago, 0)", "least(7, series.days_known + targets.horizon - 361)"
            ) }}
    end as yearly_mean,
    series.nonzero_share_28,
    series.days_since_sale,
    series.category_mean_7,
    series.year_level,
    targets.weekday,
    targets.day_of_month,
    targets.week_of_year,
    targets.is_holiday,
    targets.days_to_holiday,
    series.regular_price * (1 - coalesce(discounts.discount_rate, 0)) as price,
    {{ safe_divide("series.regular_price * (1 - coalesce(discounts.discount_rate, 0))", "series.charged_price") }}
        as price_ratio,
    coalesce(discounts.discount_rate, 0) as discount_rate,
    series.promotion_share_28,
    coalesce(targets.target_date <= {{ as_of() }} and empty_days.empty_date is not null, false) as is_stocked_out
from targets
inner join series on targets.origin_date = series.origin_date and targets.series_part = series.series_part
left join weekdays
    on
        series.origin_date = weekdays.origin_date
        and series.store_id = weekdays.store_id
        and series.product_id = weekdays.product_id
        and targets.weekday = weekdays.weekday
left join empty_weekdays
    on
        series.origin_date = empty_weekdays.origin_date
        and series.store_id = empty_weekdays.store_id
        and series.product_id = empty_weekdays.product_id
        and targets.weekday = empty_weekdays.weekday
left join empty_days
    on
        targets.target_date = empty_days.empty_date
        and series.store_id = empty_days.store_id
        and series.product_id = empty_days.product_id
left join years
    on
        series.store_id = years.store_id
        and series.product_id = years.product_id
        and targets.target_date = years.target_date
left join discounts
    on
        targets.origin_date = discounts.origin_date
        and targets.target_date = discounts.target_date
        and series.product_id = discounts.product_id
left join labels
    on
        targets.target_date = labels.sold_date
        and series.store_id = labels.store_id
        and series.product_id = labels.product_id
