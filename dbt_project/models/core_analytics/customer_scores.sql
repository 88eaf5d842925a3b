-- never null: ordered_date
with

orders as (
    select * from {{ ref("orders") }}
    where customer_id is not null
),

summed as (
    -- A till whose clock runs ahead sells after the as-of date; nobody bought in the future.
    select
        customer_id,
        {{ cast_or_null("sum(case when is_order then 1 else 0 end)", "bigint") }} as orders,
        min(case when is_order then least(ordered_date, {{ as_of() }}) end) as first_order_date,
        max(case when is_order then least(ordered_date, {{ as_of() }}) end) as last_order_date,
        {{ cast_or_null("sum(net_sales_eur)", "numeric(18,4)") }} as net_sales_eur,
        {{ cast_or_null("sum(gross_margin_eur)", "numeric(18,4)") }} as gross_margin_eur,
        max(cost_eur) > 0 as has_known_cost,
        max(case
            when
                is_order
                and ordered_date > {{ add_days(as_of(), -730) }}
                and ordered_date <= {{ add_days(as_of(), -365) }}
                then 1
            else 0
        end) = 1 as has_bought_the_year_before
    from orders
    group by customer_id
),

scored as (
    -- Quintiles have to be cut somewhere among equals: by the other two, then by the id, the same way in every build.
    select
        customer_id,
        orders,
        first_order_date,
        last_order_date,
        {{ days_between("last_order_date", as_of()) }} as recency_days,
        net_sales_eur,
        case when has_known_cost then gross_margin_eur end as gross_margin_eur,
        has_bought_the_year_before,
        last_order_date <= {{ add_days(as_of(), -365) }} as is_lapsed,
        ntile(5) over (
            order by
                last_order_date asc nulls first,
                orders asc nulls first,
                net_sales_eur asc nulls first,
                customer_id asc nulls first
        ) as recency_score,
        ntile(5) over (
            order by
                orders asc nulls first,
                net_sales_eur asc nulls first,
                last_order_date asc nulls first,
                customer_id asc nulls first
        ) as frequency_score,
        ntile(5) over (
            order by
                net_sales_eur asc nulls first,
                orders asc nulls first,
                last_order_date asc nulls first,
                customer_id asc nulls first
        ) as monetary_score
    from summed
    where orders > 0
)

select * from scored
