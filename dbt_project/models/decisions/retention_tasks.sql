with

predictions as (
    select * from {{ source("predictions", "churn") }}
    where as_of_date = {{ as_of() }}
),

offered as (
    -- Who was asked to stay within the last 30 days is not asked again.
    select distinct customer_id from {{ ref("int_customer_interactions") }}
    where kind = 'retention_offer' and cast(interaction_at as date) > {{ add_days(as_of(), -30) }}
),

worthwhile as (
    -- The cut-off is by what contacts would have brought; even so, none is proposed that is expected to cost.
    select predictions.*
    from predictions
    left join offered on predictions.customer_id = offered.customer_id
    where
        predictions.probability >= predictions.cut_off
        and predictions.expected_gain_eur > 0
        and offered.customer_id is null
),

ranked as (
    select
        as_of_date,
        row_number() over (order by expected_gain_eur desc nulls last, customer_id asc nulls last) as task_rank,
        customer_id,
        probability as churn_probability,
        expected_gain_eur,
        reasons,
        model_version
    from worthwhile
)

select * from ranked
