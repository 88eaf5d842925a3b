-- never null: actual
with

outcomes as (
    select * from {{ source("monitoring", "outcomes") }}
    where scored_on <= {{ as_of() }}
),

scopes as (
    select true as is_whole
    union all
    select false as is_whole
),

scored as (
    -- Exact numbers: a sum of doubles would change in its last digits from run to run.
    select
        outcomes.model_name,
        outcomes.model_version,
        case
            when outcomes.horizon <= 7 then 'days 1-7'
            when outcomes.horizon <= 14 then 'days 8-14'
            else 'days 15 and later'
        end as horizon,
        case when scopes.is_whole then 'all' else outcomes.segment end as segment,
        {{ add_days(
            "outcomes.target_date", "1 - " ~ iso_date_part("weekday", "outcomes.target_date")
        ) }} as week_starting,
        outcomes.loss_kind = 'log' as is_probability,
        {{ cast_or_null("outcomes.actual", "numeric(18,6)") }} as actual,
        {{ cast_or_null("outcomes.predicted - outcomes.actual", "numeric(18,6)") }} as deviation,
        {{ cast_or_null("abs(outcomes.predicted - outcomes.actual)", "numeric(18,6)") }} as distance,
        {{ cast_or_null("outcomes.loss", "numeric(18,6)") }} as loss,
        {{ cast_or_null(
            "(outcomes.predicted - outcomes.actual) * (outcomes.predicted - outcomes.actual)", "numeric(18,6)"
        ) }} as squared,
        case when outcomes.low is not null and outcomes.high is not null then 1 else 0 end as has_interval,
        -- An interval is one of counts, each of which is spread over half a unit to both sides: see ml/quantiles.py.
        case
            when outcomes.low is not null and outcomes.high is not null
                then {{ cast_or_null(
                    "greatest(0, least(coalesce(outcomes.high, 0), outcomes.actual + 0.5)"
                    ~ " - greatest(coalesce(outcomes.low, 0), outcomes.actual - 0.5))", "numeric(18,6)"
                ) }}
        end as covered
    from outcomes
    cross join scopes
),

summed as (
    select
        model_name,
        model_version,
        horizon,
        segment,
        week_starting,
        is_probability,
        count(*) as outcomes,
        {{ cast_or_null("sum(actual)", "double") }} as actual_sum,
        {{ cast_or_null("sum(deviation)", "double") }} as deviation_sum,
        {{ cast_or_null("sum(distance)", "double") }} as distance_sum,
        {{ cast_or_null("sum(loss)", "double") }} as loss_sum,
        {{ cast_or_null("sum(squared)", "double") }} as squared_sum,
        sum(has_interval) as intervals,
        {{ cast_or_null("sum(covered)", "double") }} as covered
    from scored
    group by model_name, model_version, horizon, segment, week_starting, is_probability
),

measured as (
    select
        model_name,
        model_version,
        horizon,
        segment,
        week_starting,
        outcomes,
        loss_sum,
        actual_sum,
        case when not is_probability then {{ safe_divide("distance_sum", "actual_sum") }} end as wape,
        case when not is_probability then sqrt({{ safe_divide("squared_sum", "outcomes") }}) end as rmse,
        {{ safe_divide("deviation_sum", "actual_sum") }} as bias,
        case when is_probability then {{ safe_divide("loss_sum", "outcomes") }} end as log_loss,
        case when is_probability then {{ safe_divide("squared_sum", "outcomes") }} end as brier,
        {{ safe_divide("covered", "intervals") }} as coverage_80
    from summed
)

select * from measured
