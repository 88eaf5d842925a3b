with

months as (select * from {{ ref("int_mrr_months") }}),

movements as (select * from {{ ref("mrr_sums") }}),

years as (select * from {{ ref("mrr_retained_years") }}),

known_segments as (
    select distinct segment
    from movements
),

segments as (
    select
        segment,
        segment as part
    from known_segments

    union all

    select
        'all' as segment,
        segment as part
    from known_segments
),

years_summed as (
    select
        years.month,
        segments.segment,
        sum(years.opening_eur) as year_opening_eur,
        sum(years.closing_eur) as year_closing_eur,
        sum(years.kept_eur) as year_kept_eur
    from years
    inner join segments on years.segment = segments.part
    group by years.month, segments.segment
),

summed as (
    select
        months.month,
        segments.segment,
        sum(case when movements.measure = 'new' then movements.amount_eur else 0 end) as new_mrr_eur,
        sum(case when movements.measure = 'expansion' then movements.amount_eur else 0 end) as expansion_mrr_eur,
        sum(case when movements.measure = 'contraction' then movements.amount_eur else 0 end) as contraction_mrr_eur,
        sum(case when movements.measure = 'churn' then movements.amount_eur else 0 end) as churn_mrr_eur,
        sum(case when movements.measure = 'reactivation' then movements.amount_eur else 0 end) as reactivation_mrr_eur,
        sum(case when movements.measure = 'fx' then movements.amount_eur else 0 end) as fx_mrr_eur,
        sum(case when movements.measure = 'closing' then movements.amount_eur else 0 end) as closing_mrr_eur,
        {{ cast_or_null("sum(case when movements.measure = 'new' then movements.customers else 0 end)", "bigint") }}
            as new_customers,
        {{ cast_or_null("sum(case when movements.measure = 'churn' then movements.customers else 0 end)", "bigint") }}
            as churn_customers,
        {{ cast_or_null(
            "sum(case when movements.measure = 'reactivation' then movements.customers else 0 end)", "bigint"
        ) }} as reactivation_customers,
        {{ cast_or_null("sum(case when movements.measure = 'closing' then movements.customers else 0 end)", "bigint") }}
            as closing_customers,
        sum(coalesce(movements.amount_eur_constant, 0)) as closing_mrr_eur_constant,
        {{ cast_or_null("sum(coalesce(movements.subscriptions, 0))", "bigint") }}
            as subscriptions
    from months
    cross join segments
    left join movements on months.month = movements.month and segments.part = movements.segment
    group by months.month, segments.segment
),

opened as (
    select
        summed.*,
        closing_mrr_eur
        - (new_mrr_eur + expansion_mrr_eur + contraction_mrr_eur + churn_mrr_eur + reactivation_mrr_eur + fx_mrr_eur)
            as opening_mrr_eur,
        closing_customers - new_customers - reactivation_customers + churn_customers as opening_customers
    from summed
),

joined as (
    select
        opened.*,
        years_summed.year_opening_eur,
        years_summed.year_closing_eur,
        years_summed.year_kept_eur
    from opened
    left join years_summed on opened.month = years_summed.month and opened.segment = years_summed.segment
)

select * from joined
