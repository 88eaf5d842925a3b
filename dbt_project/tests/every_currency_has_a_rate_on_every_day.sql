-- From its first day to the as-of date, and none after it.
with

spans as (
    select
        currency,
        min(valid_on) as first_day,
        max(valid_on) as last_day,
        count(*) as days
    from {{ ref("int_currency_rates_dated") }}
    group by currency
)

select * from spans
where last_day != {{ as_of() }} or days != {{ days_between("first_day", "last_day") }} + 1
