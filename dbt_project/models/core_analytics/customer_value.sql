-- never null: first_order_date
with

customers as (select * from {{ ref("customer_scores") }}),

lifetimes as (
    -- Of those who bought in the year before the last one, as many years as it takes until all have stopped buying.
    select
        {{ safe_divide(
            "sum(case when has_bought_the_year_before then 1 else 0 end)",
            "sum(case when has_bought_the_year_before and is_lapsed then 1 else 0 end)"
        ) }} as expected_lifetime_years
    from customers
),

rated as (
    -- Who first bought less than a year ago counts as if that year were over.
    select
        customers.*,
        ceil((customers.frequency_score + customers.monetary_score) / 2) as value_score,
        {{ safe_divide(cast_or_null("customers.gross_margin_eur", "double"), "customers.orders") }} as margin_per_order,
        {{ safe_divide(
            "customers.orders * 365",
            "greatest(" ~ days_between("customers.first_order_date", as_of()) ~ " + 1, 365)"
        ) }} as orders_per_year,
        lifetimes.expected_lifetime_years
    from customers
    cross join lifetimes
),

valued as (
    select
        customer_id,
        first_order_date,
        last_order_date,
        recency_days,
        orders,
        net_sales_eur,
        gross_margin_eur,
        is_lapsed,
        recency_score,
        frequency_score,
        monetary_score,
        case
            when recency_score = 5 and value_score >= 4 then 'Champions'
            when recency_score >= 3 and value_score >= 4 then 'Loyal'
            when recency_score >= 4 and value_score >= 2 then 'Potential loyalists'
            when recency_score = 5 then 'New'
            when recency_score = 4 then 'Promising'
            when recency_score = 3 and value_score = 3 then 'Need attention'
            when recency_score = 3 then 'About to sleep'
            when value_score = 5 then 'Cannot lose them'
            when value_score >= 3 then 'At risk'
            else 'Hibernating'
        end as rfm_segment,
        {{ cast_or_null("margin_per_order", "numeric(18,4)") }} as margin_per_order_eur,
        {{ cast_or_null("orders_per_year", "numeric(18,4)") }} as orders_per_year,
        {{ cast_or_null("expected_lifetime_years", "numeric(18,4)") }} as expected_lifetime_years,
        {{ cast_or_null("margin_per_order * orders_per_year * expected_lifetime_years", "numeric(18,2)") }}
            as lifetime_value_eur
    from rated
)

select * from valued
