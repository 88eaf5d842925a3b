with

sales as (
    select * from {{ ref("sales") }}
    where units_sold > 0
),

daily as (
    select
        store_id,
        product_id,
        category,
        sold_date,
        cast(recorded_at as date) as recorded_date,
        {{ iso_date_part("weekday", "sold_date") }} as weekday,
        {{ cast_or_null("sum(units_sold)", "bigint") }} as units,
        {{ cast_or_null("sum(case when promotion_id is not null then units_sold else 0 end)", "bigint") }}
            as promotion_units,
        {{ cast_or_null("sum(gross_amount_eur)", "numeric(18,4)") }} as amount_eur,
        {{ cast_or_null("sum(case when promotion_id is null then gross_amount_eur else 0 end)", "numeric(18,4)") }}
            as regular_amount_eur
    from sales
    group by store_id, product_id, category, sold_date, cast(recorded_at as date)
),

marked as (
    -- A day whose sales were recorded on several days has several rows; the first alone counts as a selling day.
    select
        daily.*,
        case
            when
                row_number() over (
                    partition by store_id, product_id, sold_date
                    order by recorded_date asc nulls last
                ) = 1
                then 1
            else 0
        end as selling_days
    from daily
)

select * from marked
