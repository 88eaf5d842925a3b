{#- The expression holds in every row; a row where it is null fails too. -#}
{% test is_true(model, expression) %}
select *
from {{ model }}
where not coalesce({{ expression }}, false)
{% endtest %}
