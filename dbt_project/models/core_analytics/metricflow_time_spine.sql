with

first_days as (
    select min(sold_date) as first_day
    from {{ ref("sales") }}
    union all
    select min(month) as first_day
    from {{ ref("monthly_recurring_revenue") }}
),

history as (
    select min(first_day) as first_day
    from first_days
),

days as (
    select {{ add_days("first_day", "n") }} as date_day
    from history
    cross join {{ numbers(0, days_between("first_day", as_of())) }}
)

select * from days
