with

first_sale as (
    select min(sold_date) as first_sold_date
    from {{ ref("demand_forecast_daily_units") }}
),

parts as (
    select distinct
        series_part,
        part_count
    from {{ ref("demand_forecast_parts") }}
),

holidays as (select * from {{ ref("holidays") }}),

origins as (
    select
        'predict' as purpose,
        {{ as_of() }} as origin_date,
        0 as step
    union all
    select
        'backtest' as purpose,
        {{ add_days(as_of(), "7 * n - " ~ var("forecast_horizon_days")) }} as origin_date,
        n as step
    from {{ numbers(0, 3) }}
    union all
    select
        'train' as purpose,
        {{ add_days(as_of(), "-17 * n - " ~ var("forecast_horizon_days")) }} as origin_date,
        n as step
    from {{ numbers(1, 20) }}
),

targets as (
    select
        origins.purpose,
        origins.origin_date,
        n as horizon,
        parts.series_part,
        {{ add_days("origins.origin_date", "n") }} as target_date,
        -- How many days before the origin the target's weekday was last seen.
        mod(7 - mod(n, 7), 7) as days_since_weekday
    from origins
    cross join first_sale
    cross join parts
    cross join {{ numbers(1, var("forecast_horizon_days")) }}
    where
        origins.purpose = 'predict'
        or (
            origins.purpose = 'backtest'
            -- The first tells of every series and day what was sold, the later ones what is known a week nearer to it.
            and (origins.step = 0 or mod(n + origins.step, parts.part_count) = parts.series_part)
            and {{ add_days("origins.origin_date", "n") }} <= {{ as_of() }}
        )
        or (
            origins.purpose = 'train'
            -- Neighbouring training origins see nearly the same, so each takes a third of the horizons.
            and mod(n + origins.step, 3 * parts.part_count) = 3 * parts.series_part
            and {{ days_between("first_sale.first_sold_date", "origins.origin_date") }}
            >= {{ var("forecast_min_history_days") }}
        )
),

target_dates as (
    select distinct target_date
    from targets
),

next_holidays as (
    select
        target_dates.target_date,
        min({{ days_between("target_dates.target_date", "holidays.date") }}) as days_to_holiday
    from target_dates
    inner join holidays on target_dates.target_date <= holidays.date
    group by target_dates.target_date
),

calendar as (
    select
        targets.*,
        {{ iso_date_part("weekday", "targets.target_date") }} as weekday,
        extract(day from targets.target_date) as day_of_month,
        {{ iso_date_part("week", "targets.target_date") }} as week_of_year,
        coalesce(next_holidays.days_to_holiday = 0, false) as is_holiday,
        least(coalesce(next_holidays.days_to_holiday, 30), 30) as days_to_holiday
    from targets
    left join next_holidays on targets.target_date = next_holidays.target_date
)

select * from calendar
