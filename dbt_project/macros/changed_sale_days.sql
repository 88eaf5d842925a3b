{#- The days of sales whose lines, or those of the days before which near-duplicates may reach into, are others than when they
    were built. -#}
{% macro changed_sale_days() -%}
    {%- set present -%}
        select
            own.sold_date as period,
            concat(
                {{ catalyst.cast_or_null(
                    "sum(days.checksum * (1 + " ~ catalyst.days_between("days.sold_date", "own.sold_date") ~ "))", "text"
                ) }},
                ' within {{ var("near_duplicate_minutes") }}'
            ) as checksum,
            {{ catalyst.cast_or_null("null", "bigint") }} as source_rows
        from (select distinct sold_date from {{ ref("int_sale_days_landed") }}) as own
        inner join {{ ref("int_sale_days_landed") }} as days
            on
                days.sold_date <= own.sold_date
                and days.sold_date >= {{ catalyst.add_days("own.sold_date", -catalyst.near_duplicate_days()) }}
        group by own.sold_date
    {%- endset -%}
    {{ return(catalyst.changed_periods(present)) }}
{%- endmacro %}

{% macro near_duplicate_days() -%}
    {{ return(((var("near_duplicate_minutes") | int) / 1440) | round(0, "ceil") | int) }}
{%- endmacro %}

{#- The days on which lines of the changed days landed, for what a model reads of staged ones. -#}
{% macro landings_of(changed) -%}
    {%- set landings = [] -%}
    {%- if changed.built and not changed.is_whole -%}
        {%- for row in run_query(
            "select distinct landed_on from " ~ ref("int_sale_days_landed")
            ~ " where sold_date in (" ~ catalyst.period_literals(changed) ~ ") order by landed_on asc nulls last"
        ).rows -%}
            {%- do landings.append({"period": row[0] | string}) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(dict(changed, built=landings, is_unnoted=false)) }}
{%- endmacro %}

{#- The days whose sales in EUR are others: their lines or the rates that they are worth. -#}
{% macro changed_revenue_days() -%}
    {%- set lines = catalyst.periods_of(["int_sale_lines_united"]) -%}
    {%- set present = none -%}
    {%- if lines is not none -%}
        {%- set present -%}
            select
                lines.period,
                concat(lines.checksum, ' rates ', coalesce(rates.checksum, '')) as checksum,
                {{ catalyst.cast_or_null("null", "bigint") }} as source_rows
            from ({{ lines }}) as lines
            left join (
                select
                    valid_on,
                    {{ catalyst.cast_or_null(
                        "sum(" ~ catalyst.row_checksum(["currency", "eur_rate"]) ~ ")", "text"
                    ) }} as checksum
                from {{ ref("int_currency_rates_dated") }}
                group by valid_on
            ) as rates on {{ catalyst.rate_day("lines.period") }} = rates.valid_on
        {%- endset -%}
    {%- endif -%}
    {{ return(catalyst.changed_periods(present)) }}
{%- endmacro %}
