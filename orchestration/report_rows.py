"""The rows behind the charts and tables of the report, as SQL on a published version."""

from __future__ import annotations

DETAILS = {
    "mrr": """
        select
            month, sum(amount_eur)::double as amount_eur,
            count(distinct customer_id) as customers, sum(subscriptions)::bigint as subscriptions
        from core_analytics.monthly_recurring_revenue
        where month > $month_25_before
        group by month
        order by month
    """,
    "movements": """
        select month, movement, sum(amount_eur)::double as amount_eur
        from core_analytics.mrr_movements
        where month > $month_25_before and month <= $as_of
        group by month, movement
        order by month, movement
    """,
    "kpis": """
        select * from core_analytics.mrr_kpis
        where segment = 'all' and month > $month_13_before and month <= $as_of
        order by month desc
    """,
    "sales": """
        with summed as (
            select day, coalesce(sum(net_sales_eur), 0)::double as net_sales_eur
            from unnest($days) as days (day) left join core_analytics.daily_product_sales on sold_date = day
            group by day
        ), smoothed as (
            select
                *,
                avg(net_sales_eur) over (
                    order by day nulls first rows between 6 preceding and current row
                ) as weekly_mean_eur
            from summed
        )
        select * from smoothed
        where day >= $first_day and exists (select 1 from summed where net_sales_eur <> 0)
        order by day
    """,
    # Of the series that are forecast only, or history and forecast would not meet.
    "actual_units": """
        with series as (
            select distinct store_id, product_id from predictions.demand_forecast where as_of_date = $as_of
        )
        select sold_date as day, sum(units_sold)::double as units
        from core_analytics.daily_product_sales inner join series using (store_id, product_id)
        where sold_date between $first_day and $as_of
        group by sold_date
        order by day
    """,
    # Quantiles of series do not add up to those of their total, so the band comes from how the totals of whole days
    # turned out in the backtest.
    "forecast_units": """
        with turned_out as (
            select sum(units) / sum(mean_units) as ratio
            from predictions.demand_forecast_backtest
            where as_of_date = $as_of
            group by origin_date, target_date
            having sum(mean_units) > 0
        ), quantiles as (
            select
                quantile_cont(ratio, 0.1) over () as low, quantile_cont(ratio, 0.9) over () as high,
                count(*) over () as days
            from turned_out
        ), band as (
            select distinct low, high from quantiles where days >= 20
        ), expected as (
            select target_date as day, sum(mean_units) as units, count(*) as series
            from predictions.demand_forecast
            where as_of_date = $as_of
            group by target_date
        )
        select day, units, series, units * low as low, units * high as high
        from expected left join band on true
        order by day
    """,
    "errors": """
        select
            horizon, sum(abs(mean_units - units)) / sum(units) as wape,
            sum(abs(seasonal_naive - units)) / sum(units) as naive_wape
        from predictions.demand_forecast_backtest
        where as_of_date = $as_of
        group by horizon
        having sum(units) > 0
        order by horizon
    """,
    "quarantine": """
        with landed as (
            select feed, sum(rows_landed) as rows_landed from quality.loads group by feed
        ), broken as (
            select marked.*, split.rule
            from quality.quarantine as marked, unnest(string_split(marked.rules, ',')) as split (rule)
        )
        select
            feed, rule, count(*) as rows, count(*) / nullif(max(rows_landed), 0) as share,
            -- The row that breaks the fewest other rules says it best.
            first(reasons order by length(rules), load_id, row_number) as example
        from broken left join landed using (feed)
        group by feed, rule
        order by rows desc, feed, rule
    """,
    "findings": """
        select found_at, feed, rule, severity, message from quality.findings
        order by found_at desc, feed, rule, load_id
        limit 15
    """,
    "categories": """
        select spelling, source_rows, feeds, category, score, resembles, seed_row
        from quality.category_proposals
        order by source_rows desc, spelling
    """,
    "orders": """
        select
            order_by_date, product_id, product_name, warehouse_id, supplier_name,
            quantity, expected_cost_eur::double as expected_cost_eur, reason
        from decisions.purchase_recommendations
        where as_of_date = $as_of
        order by order_by_date, expected_cost_eur desc, product_id, warehouse_id
    """,
    "tasks": """
        select task_rank, customer_id, churn_probability, expected_gain_eur, reasons
        from decisions.retention_tasks
        where as_of_date = $as_of
        order by task_rank
    """,
    "models": """
        with performance as (
            select
                model_name, sum(outcomes)::bigint as outcomes,
                sum(wape * actual_sum) / nullif(sum(case when wape is not null then actual_sum end), 0) as wape,
                sum(case when log_loss is not null then loss_sum end)
                    / sum(case when log_loss is not null then outcomes end) as log_loss
            from monitoring.model_performance
            where segment = 'all' and week_starting > $weeks_4_before and week_starting <= $as_of
            group by model_name
        ), drifted as (
            select
                model_name, max(model_version) as model_version, count(*) as compared,
                string_agg(
                    case when is_drifted then column_name end, ', ' order by psi desc, column_name nulls first
                ) as columns
            from monitoring.drift
            where as_of_date = $as_of
            group by model_name
        )
        select * from drifted left join performance using (model_name)
        order by model_name
    """,
    # Of the nearest days that a model foretells, where most of its predictions in use are.
    "performance": """
        with nearest as (
            select model_name, min(horizon) as horizon from monitoring.model_performance group by model_name
        )
        select
            model_name, week_starting, sum(outcomes)::bigint as outcomes,
            coalesce(
                sum(case when log_loss is not null then loss_sum end)
                    / sum(case when log_loss is not null then outcomes end),
                sum(wape * actual_sum) / nullif(sum(case when wape is not null then actual_sum end), 0)
            ) as error
        from monitoring.model_performance inner join nearest using (model_name, horizon)
        where segment = 'all' and week_starting <= $as_of and week_starting > $weeks_26_before
        group by model_name, week_starting
        having error is not null
        order by model_name, week_starting
    """,
}
