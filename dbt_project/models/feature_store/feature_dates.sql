with

days as (
    select {{ as_of() }} as feature_date
    union distinct
    select {{ add_days(months_later(as_of(), "-n"), -1) }} as feature_date
    from {{ numbers(0, 23) }}
),

timed as (
    -- What holds at the end of a day holds from the first moment of the next one.
    select
        feature_date,
        {{ cast_or_null(add_days("feature_date", 1), "timestamp") }} as event_at,
        {{ cast_or_null(add_days("feature_date", 1), "timestamp") }} as known_at,
        {{ add_days("feature_date", 30) }} as label_date
    from days
)

select * from timed
