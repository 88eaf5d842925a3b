-- For each month and currency; an amount in EUR is rounded to 1/10,000 in each row, so both may differ by half of that a row.
with

subscriptions as (
    select
        months.month,
        amounts.currency,
        sum(amounts.monthly_amount) as amount,
        count(*) as subscriptions
    from {{ ref("int_mrr_months") }} as months
    inner join {{ ref("int_recurring_amounts") }} as amounts
        on {{ is_valid_on("months.moment", "amounts.valid_from", "amounts.valid_until") }}
    group by months.month, amounts.currency
),

customers as (
    select
        month,
        currency,
        sum(amount) as amount,
        sum(subscriptions) as subscriptions,
        sum(amount_eur) as amount_eur,
        count(*) as parts
    from {{ ref("monthly_recurring_revenue") }}
    group by month, currency
),

plans as (
    select
        month,
        currency,
        sum(amount) as amount,
        sum(subscriptions) as subscriptions,
        sum(amount_eur) as amount_eur,
        count(*) as parts
    from {{ ref("plan_recurring_revenue") }}
    group by month, currency
),

compared as (
    select
        coalesce(subscriptions.month, customers.month, plans.month) as month,
        coalesce(subscriptions.currency, customers.currency, plans.currency) as currency,
        subscriptions.amount,
        customers.amount as customers_amount,
        plans.amount as plans_amount,
        customers.amount_eur as customers_amount_eur,
        plans.amount_eur as plans_amount_eur,
        coalesce(
            subscriptions.amount = customers.amount
            and subscriptions.amount = plans.amount
            and subscriptions.subscriptions = customers.subscriptions
            and subscriptions.subscriptions = plans.subscriptions
            and abs(customers.amount_eur - plans.amount_eur) <= 0.00005 * (customers.parts + plans.parts),
            false
        ) as is_equal
    from subscriptions
    full outer join customers
        on subscriptions.month = customers.month and subscriptions.currency = customers.currency
    full outer join plans
        on
            coalesce(subscriptions.month, customers.month) = plans.month
            and coalesce(subscriptions.currency, customers.currency) = plans.currency
)

select * from compared
where not is_equal
