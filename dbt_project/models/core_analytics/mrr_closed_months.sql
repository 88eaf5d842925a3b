with

months as (
    select * from {{ ref("int_mrr_months") }}
    where {{ add_days("last_day(month)", var("mrr_close_days")) }} <= {{ as_of() }}
),

revenue as (select * from {{ ref("monthly_recurring_revenue") }}),

recorded as (
    {{ mrr_recorded("revenue") }}
),

id_changes as (select * from {{ ref("int_customer_id_changes") }}),

statements as (
    select
        month,
        version,
        recorded_as_of,
        policies,
        month_checksum,
        row_number() over (partition by month order by version desc nulls last) as recency_in_month,
        row_number() over (
            order by recorded_as_of desc nulls last, version desc nulls last, month desc nulls last
        ) as recency,
        max(month) over () as last_month
    from recorded
    group by month, version, recorded_as_of, policies, month_checksum
),

latest as (
    select * from statements
    where recency = 1
),

changed_months as (
    select
        months.month,
        months.month_checksum,
        -- Months close in their order: one without rows that lies before others was closed when nobody had paid.
        coalesce(statements.version, case when months.month < latest.last_month then 1 else 0 end) as recorded_version,
        coalesce(latest.policies != {{ mrr_policies() }}, false) as is_policy_changed
    from months
    left join statements on months.month = statements.month and statements.recency_in_month = 1
    left join latest on latest.recency = 1
    where
        coalesce(statements.month_checksum != months.month_checksum, true)
        and coalesce(latest.recorded_as_of <= {{ as_of() }}, true)
),

reassigned as (
    select distinct id_changes.customer_id
    from id_changes
    inner join latest on id_changes.changed_on > latest.recorded_as_of
),

compared as (
    {{ mrr_now_and_recorded() }}
),

restated as (
    select
        compared.month,
        compared.customer_id,
        compared.currency,
        changed_months.recorded_version + 1 as version,  -- noqa: RF04
        compared.amount,
        compared.amount_eur,
        compared.subscriptions,
        compared.previous_amount,
        compared.previous_amount_eur,
        case
            when changed_months.recorded_version = 0 then 'closed'
            when compared.amount = compared.previous_amount then 'exchange_rate'
            when changed_months.is_policy_changed then 'policy_change'
            when reassigned.customer_id is not null then 'customer_merge'
            else 'late_or_corrected_record'
        end as cause,
        {{ as_of() }} as recorded_as_of,
        {{ mrr_policies() }} as policies,
        changed_months.month_checksum
    from compared
    inner join changed_months on compared.month = changed_months.month
    left join reassigned on compared.customer_id = reassigned.customer_id
    where compared.amount != compared.previous_amount or compared.amount_eur != compared.previous_amount_eur
)

select * from restated
