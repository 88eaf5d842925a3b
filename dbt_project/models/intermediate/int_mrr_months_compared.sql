-- never null: month_checksum
with

months as (select * from {{ ref("int_mrr_months") }}),

paired as (
    -- int_mrr_months has no gaps, so that twelve rows before is a year before.
    select
        month,
        moment,
        lag(month, 1) over (order by month asc nulls last) as previous_month,
        lag(month, 12) over (order by month asc nulls last) as year_before_month,
        month_checksum,
        lag(month_checksum, 1) over (order by month asc nulls last) as previous_checksum,
        lag(month_checksum, 12) over (order by month asc nulls last) as year_before_checksum
    from months
),

named as (
    select
        month,
        moment,
        previous_month,
        year_before_month,
        concat(
            {{ cast_or_null("month_checksum", "text") }},
            ' ',
            coalesce({{ cast_or_null("previous_checksum", "text") }}, '-'),
            ' ',
            coalesce({{ cast_or_null("year_before_checksum", "text") }}, '-')
        ) as month_checksum
    from paired
)

select * from named
