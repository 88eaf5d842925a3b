{#- True where a row had happened and was known at a moment: what a training set may read of a row for that moment. With
    dates, the moment is the end of the day. -#}
{% macro point_in_time(moment, event_at, known_at) -%}
    {{ event_at }} <= {{ moment }} and {{ known_at }} <= {{ moment }}
{%- endmacro %}
