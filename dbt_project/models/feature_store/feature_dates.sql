with

days as (
    select
        {{ as_of() }} as feature_date,
        'predict' as purpose

    union all

    -- What became due in the last seven days, so that a run that was missed leaves no prediction without its outcome.
    select
        {{ add_days(as_of(), "-n") }} as feature_date,
        'backtest' as purpose
    from {{ numbers(30, 36) }}

    union all

    -- The two months before that: few leave in one.
    select
        {{ add_days(as_of(), "-30 * n") }} as feature_date,
        'backtest' as purpose
    from {{ numbers(2, 3) }}

    union all

    select
        {{ add_days(months_later(as_of(), "-n"), -1) }} as feature_date,
        'train' as purpose
    from {{ numbers(0, 23) }}
),

timed as (
    -- What holds at the end of a day holds from the first moment of the next one. Of the purposes of a day the first by
    -- the alphabet counts: a day to test on is no day to train on.
    select
        feature_date,
        min(purpose) as purpose,
        {{ cast_or_null(add_days("feature_date", 1), "timestamp") }} as event_at,
        {{ cast_or_null(add_days("feature_date", 1), "timestamp") }} as known_at,
        {{ add_days("feature_date", 30) }} as label_date
    from days
    group by feature_date
)

select * from timed
