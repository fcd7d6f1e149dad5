//! The rows, in the order of the specification.

use super::{Ours, Row};

/// All of them.
pub(super) fn rows() -> impl Iterator<Item = &'static Row> {
    [COMMON, PROMETHEUS, OTEL, VENDORS, ROUTING, OWN, DELIVERY, DEPLOYED].into_iter().flatten()
}

/// An option under its own name.
const fn same(asked: &'static str, krate: &'static str, of: &'static str, name: &'static str) -> Row {
    Row { asked, ours: Ours::Choice { krate, of, name }, why: "" }
}

/// An option under another name or in another place.
const fn renamed(
    asked: &'static str,
    krate: &'static str,
    of: &'static str,
    name: &'static str,
    why: &'static str,
) -> Row {
    Row { asked, ours: Ours::Choice { krate, of, name }, why }
}

/// What is said in code.
const fn code(asked: &'static str, krate: &'static str, name: &'static str, why: &'static str) -> Row {
    Row { asked, ours: Ours::Function { krate, name }, why }
}

const fn variable(asked: &'static str, krate: &'static str, name: &'static str, why: &'static str) -> Row {
    Row { asked, ours: Ours::Variable { krate, name }, why }
}

const fn field(asked: &'static str, krate: &'static str, name: &'static str, why: &'static str) -> Row {
    Row { asked, ours: Ours::Field { krate, name }, why }
}

const fn nowhere(asked: &'static str, why: &'static str) -> Row {
    Row { asked, ours: Ours::Nowhere, why }
}

const UNIT: &str = "the unit is in the value: \"30s\", \"50MB\"";

const COMMON: &[Row] = &[
    field("ExportResult.success.exported_count", "obs-core", "delivered", "it is a result"),
    field("ExportResult.success.response_time_ms", "obs-pipeline", "latency", "it is a result"),
    code("ExportResult.failure.error", "obs-core", "retry", "it is a result, with what to do about it"),
    code(
        "ExporterConfig.from_env.prefix",
        "obs-otel",
        "from_env_prefixed",
        "every config struct has this function",
    ),
    nowhere(
        "ExporterConfig.from_env.required_fields",
        "each exporter knows what it requires, and names what is missing",
    ),
    code(
        "ExporterConfig.name",
        "obs-pipeline",
        "to_named",
        "the name is the destination's, not the exporter's",
    ),
    same("ExporterConfig.endpoint", "obs-http", "HttpConfig", "endpoint"),
    same("ExporterConfig.auth", "obs-http", "HttpConfig", "auth"),
    renamed("AuthConfig.type", "obs-http", "HttpConfig", "auth", "the type is the form of `auth`"),
    renamed("AuthConfig.api_key", "obs-http", "HttpConfig", "auth", "the key is the value of `auth`"),
    same("AuthConfig.headers", "obs-http", "HttpConfig", "headers"),
    nowhere("AuthConfig.headers.*", "a header's name is the user's"),
    same("ExporterConfig.batch_size", "obs-pipeline", "LaneConfig", "batch_size"),
    renamed("ExporterConfig.flush_interval_seconds", "obs-pipeline", "LaneConfig", "flush_interval", UNIT),
    same("ExporterConfig.retry_config", "obs-pipeline", "LaneConfig", "retry_config"),
    same("RetryConfig.max_retries", "obs-pipeline", "RetryConfig", "max_retries"),
    same("RetryConfig.backoff_multiplier", "obs-pipeline", "RetryConfig", "backoff_multiplier"),
    renamed(
        "RetryConfig.max_backoff_seconds",
        "obs-pipeline",
        "RetryConfig",
        "max_delay",
        "the specification calls the same `max_delay_seconds` elsewhere, and the unit is in the value",
    ),
    same("ExporterConfig.compression", "obs-http", "HttpConfig", "compression"),
    renamed(
        "ExporterConfig.format",
        "obs-otel",
        "OtelConfig",
        "protocol",
        "only OTLP and what is one's own have several forms; see also obs-webhook and obs-file",
    ),
];

const PROMETHEUS: &[Row] = &[
    same("PrometheusExporter.pushgateway_url", "obs-prometheus", "PrometheusConfig", "pushgateway_url"),
    same("PrometheusExporter.job_name", "obs-prometheus", "PrometheusConfig", "job_name"),
    same("PrometheusExporter.instance_label", "obs-prometheus", "PrometheusConfig", "instance_label"),
    same("PrometheusExporter.metrics_mapping", "obs-prometheus", "PrometheusConfig", "metrics_mapping"),
    nowhere("PrometheusExporter.metrics_mapping.*", "a metric's name is the user's"),
    same("PrometheusExporter.metrics_mapping.*.name", "obs-prometheus", "MetricMapping", "name"),
    renamed(
        "PrometheusExporter.metrics_mapping.*.type",
        "obs-prometheus",
        "MetricMapping",
        "metric_type",
        "`type` is a word of the language, and `metric_type` is the specification's name for it elsewhere",
    ),
    same("PrometheusExporter.metrics_mapping.*.help", "obs-prometheus", "MetricMapping", "help"),
    same("PrometheusExporter.additional_labels", "obs-prometheus", "PrometheusConfig", "additional_labels"),
    nowhere("PrometheusExporter.additional_labels.*", "a label's name is the user's"),
    same("PrometheusExporter.mode", "obs-prometheus", "PrometheusConfig", "mode"),
    same("PrometheusExporter.metrics_port", "obs-prometheus", "PrometheusConfig", "metrics_port"),
    same("PrometheusExporter.metrics_path", "obs-prometheus", "PrometheusConfig", "metrics_path"),
    code(
        "PrometheusExporter.registry",
        "obs-prometheus",
        "with_registry",
        "a registry is no value of a file",
    ),
];

const SAMPLING: &str = "sampling is the recording side's, so that all destinations have the same traces";

const OTEL: &[Row] = &[
    same("OpenTelemetryExporter.otlp_endpoint", "obs-otel", "OtelConfig", "otlp_endpoint"),
    same("OpenTelemetryExporter.otlp_protocol", "obs-otel", "OtelConfig", "otlp_protocol"),
    same("OpenTelemetryExporter.service_name", "obs-otel", "OtelConfig", "service_name"),
    same("OpenTelemetryExporter.service_version", "obs-otel", "OtelConfig", "service_version"),
    same("OpenTelemetryExporter.service_namespace", "obs-otel", "OtelConfig", "service_namespace"),
    same("OpenTelemetryExporter.span_name_prefix", "obs-otel", "OtelConfig", "span_name_prefix"),
    same("OpenTelemetryExporter.create_child_spans", "obs-otel", "OtelConfig", "create_child_spans"),
    same("OpenTelemetryExporter.metrics_endpoint", "obs-otel", "OtelConfig", "metrics_endpoint"),
    same("OpenTelemetryExporter.metrics_protocol", "obs-otel", "OtelConfig", "metrics_protocol"),
    same("OpenTelemetryExporter.resource_attributes", "obs-otel", "OtelConfig", "resource_attributes"),
    nowhere("OpenTelemetryExporter.resource_attributes.**", "an attribute's name is the user's"),
    code("OpenTelemetryExporter.trace_sampler", "obs-instrument", "sampling", SAMPLING),
    code("OpenTelemetryExporter.trace_sample_rate", "obs-instrument", "ratio", SAMPLING),
];

const VENDORS: &[Row] = &[
    same("DatadogExporter.api_key", "obs-datadog", "DatadogConfig", "api_key"),
    same("DatadogExporter.app_key", "obs-datadog", "DatadogConfig", "app_key"),
    same("DatadogExporter.site", "obs-datadog", "DatadogConfig", "site"),
    same("DatadogExporter.metrics_config", "obs-datadog", "DatadogConfig", "metrics_config"),
    same("DatadogExporter.metrics_config.namespace", "obs-datadog", "MetricsConfig", "namespace"),
    same("DatadogExporter.metrics_config.tags", "obs-datadog", "MetricsConfig", "tags"),
    same("DatadogExporter.apm_config", "obs-datadog", "DatadogConfig", "apm_config"),
    same("DatadogExporter.apm_config.service", "obs-datadog", "ApmConfig", "service"),
    same("DatadogExporter.apm_config.env", "obs-datadog", "ApmConfig", "env"),
    same("DatadogExporter.apm_config.version", "obs-datadog", "ApmConfig", "version"),
    same("DatadogExporter.custom_metrics", "obs-datadog", "DatadogConfig", "custom_metrics"),
    nowhere("DatadogExporter.custom_metrics.*", "a metric's key is the user's"),
    same("DatadogExporter.custom_metrics.*.metric_name", "obs-datadog", "CustomMetric", "metric_name"),
    same("DatadogExporter.custom_metrics.*.metric_type", "obs-datadog", "CustomMetric", "metric_type"),
    same("DatadogExporter.custom_metrics.*.source_field", "obs-datadog", "CustomMetric", "source_field"),
    same("NewRelicExporter.license_key", "obs-newrelic", "NewRelicConfig", "license_key"),
    same("NewRelicExporter.account_id", "obs-newrelic", "NewRelicConfig", "account_id"),
    same("NewRelicExporter.region", "obs-newrelic", "NewRelicConfig", "region"),
    same("NewRelicExporter.metrics_api_url", "obs-newrelic", "NewRelicConfig", "metrics_api_url"),
    same("NewRelicExporter.events_api_url", "obs-newrelic", "NewRelicConfig", "events_api_url"),
    same("NewRelicExporter.event_types", "obs-newrelic", "NewRelicConfig", "event_types"),
    nowhere("NewRelicExporter.event_types.*", "an event type's name is the user's"),
    same("NewRelicExporter.event_types.*.attributes", "obs-newrelic", "EventType", "attributes"),
    same("NewRelicExporter.common_attributes", "obs-newrelic", "NewRelicConfig", "common_attributes"),
    nowhere("NewRelicExporter.common_attributes.**", "an attribute's name is the user's"),
];

const LIST: &str = "exporters are values of code; each destination of a pipeline holds its own";

const ROUTING: &[Row] = &[
    code("MultiExporter.exporters", "obs-pipeline", "new", LIST),
    same("MultiExporter.strategy", "obs-pipeline", "MultiConfig", "strategy"),
    same("MultiExporter.failure_policy", "obs-pipeline", "MultiConfig", "failure_policy"),
    same("MultiExporter.min_success_count", "obs-pipeline", "MultiConfig", "min_success_count"),
    same("MultiExporter.max_concurrent_exports", "obs-pipeline", "MultiConfig", "max_concurrent_exports"),
    renamed("MultiExporter.export_timeout_seconds", "obs-pipeline", "MultiConfig", "export_timeout", UNIT),
    code("register_profiling.exporters", "obs-instrument", "to", LIST),
    code("ConditionalExporter.conditions", "obs-pipeline", "with_route", "each destination has its route"),
    code("ConditionalExporter.conditions.condition", "obs-pipeline", "when_window", "a predicate is code"),
    code(
        "ConditionalExporter.conditions.exporter",
        "obs-pipeline",
        "with_route",
        "each destination has its route",
    ),
    code(
        "ConditionalExporter.conditions.description",
        "obs-pipeline",
        "with_description",
        "it is the route's",
    ),
];

const OWN: &[Row] = &[
    same("HTTPExporter.endpoint", "obs-http", "HttpConfig", "endpoint"),
    same("HTTPExporter.method", "obs-webhook", "WebhookConfig", "method"),
    same("HTTPExporter.headers", "obs-http", "HttpConfig", "headers"),
    nowhere("HTTPExporter.headers.*", "a header's name is the user's"),
    same("HTTPExporter.payload_transformer", "obs-webhook", "WebhookConfig", "payload_transformer"),
    same("HTTPExporter.retry_config", "obs-webhook", "WebhookConfig", "retry_config"),
    same("RetryConfig.retry_on_status_codes", "obs-webhook", "RetryConfig", "retry_on_status_codes"),
    renamed(
        "RetryConfig.backoff_strategy",
        "obs-pipeline",
        "RetryConfig",
        "backoff_multiplier",
        "the strategy is exponential; 1 makes it even",
    ),
    nowhere("DatabaseExporter.**", "it is not built yet"),
    same("FileExporter.output_directory", "obs-file", "FileConfig", "output_directory"),
    same("FileExporter.file_format", "obs-file", "FileConfig", "file_format"),
    same("FileExporter.rotation_policy", "obs-file", "FileConfig", "rotation_policy"),
    same("FileExporter.rotation_interval", "obs-file", "FileConfig", "rotation_interval"),
    same("FileExporter.max_file_size", "obs-file", "FileConfig", "max_file_size"),
    same("FileExporter.compression", "obs-file", "FileConfig", "compression"),
    same("FileExporter.filename_template", "obs-file", "FileConfig", "filename_template"),
    same("FileExporter.serializer", "obs-file", "FileConfig", "serializer"),
];

const DELIVERY: &[Row] = &[
    code("BufferedExporter.base_exporter", "obs-pipeline", "new", LIST),
    same("BufferedExporter.buffer_size", "obs-pipeline", "LaneConfig", "buffer_size"),
    renamed("BufferedExporter.flush_interval_seconds", "obs-pipeline", "LaneConfig", "flush_interval", UNIT),
    same("BufferedExporter.flush_on_shutdown", "obs-pipeline", "LaneConfig", "flush_on_shutdown"),
    renamed("BufferedExporter.max_memory_usage_mb", "obs-pipeline", "LaneConfig", "max_memory_usage", UNIT),
    renamed(
        "BufferedExporter.drop_oldest_on_overflow",
        "obs-pipeline",
        "LaneConfig",
        "overflow",
        "there are three ways, of which `drop_oldest` is the default",
    ),
    same("BufferedExporter.adaptive_flushing", "obs-pipeline", "LaneConfig", "adaptive_flushing"),
    renamed(
        "BufferedExporter.min_flush_interval_seconds",
        "obs-pipeline",
        "LaneConfig",
        "min_flush_interval",
        UNIT,
    ),
    renamed(
        "BufferedExporter.max_flush_interval_seconds",
        "obs-pipeline",
        "LaneConfig",
        "max_flush_interval",
        UNIT,
    ),
    same("BufferedExporter.compress_buffer", "obs-queue", "QueueConfig", "compress_buffer"),
    same("BufferedExporter.compression_threshold", "obs-queue", "QueueConfig", "compression_threshold"),
    code("ResilientExporter.base_exporter", "obs-pipeline", "new", LIST),
    same("ResilientExporter.circuit_breaker", "obs-pipeline", "LaneConfig", "circuit_breaker"),
    same(
        "ResilientExporter.circuit_breaker.failure_threshold",
        "obs-pipeline",
        "BreakerConfig",
        "failure_threshold",
    ),
    renamed(
        "ResilientExporter.circuit_breaker.recovery_timeout_seconds",
        "obs-pipeline",
        "BreakerConfig",
        "recovery_timeout",
        UNIT,
    ),
    same(
        "ResilientExporter.circuit_breaker.half_open_max_calls",
        "obs-pipeline",
        "BreakerConfig",
        "half_open_max_calls",
    ),
    same("ResilientExporter.retry_config", "obs-pipeline", "LaneConfig", "retry_config"),
    same("ResilientExporter.retry_config.max_retries", "obs-pipeline", "RetryConfig", "max_retries"),
    renamed(
        "ResilientExporter.retry_config.initial_delay_seconds",
        "obs-pipeline",
        "RetryConfig",
        "initial_delay",
        UNIT,
    ),
    renamed(
        "ResilientExporter.retry_config.max_delay_seconds",
        "obs-pipeline",
        "RetryConfig",
        "max_delay",
        UNIT,
    ),
    same(
        "ResilientExporter.retry_config.backoff_multiplier",
        "obs-pipeline",
        "RetryConfig",
        "backoff_multiplier",
    ),
    same("ResilientExporter.retry_config.jitter", "obs-pipeline", "RetryConfig", "jitter"),
    code(
        "ResilientExporter.fallback_exporter",
        "obs-pipeline",
        "with_fallback",
        "there may be several, each with a name",
    ),
    renamed(
        "ResilientExporter.health_check_interval_seconds",
        "obs-pipeline",
        "LaneConfig",
        "health_check_interval",
        UNIT,
    ),
    same(
        "ResilientExporter.unhealthy_threshold_failures",
        "obs-pipeline",
        "LaneConfig",
        "unhealthy_threshold_failures",
    ),
    code(
        "ResilientExporter.dlq_exporter",
        "obs-pipeline",
        "with_dead_letters",
        "an exporter is a value of code",
    ),
    code("MonitoredExporter.base_exporter", "obs-pipeline", "new", LIST),
    same("MonitoredExporter.monitor_config", "obs-pipeline", "LaneConfig", "monitor_config"),
    same(
        "MonitoredExporter.monitor_config.track_export_latency",
        "obs-pipeline",
        "MonitorConfig",
        "track_export_latency",
    ),
    same(
        "MonitoredExporter.monitor_config.track_export_size",
        "obs-pipeline",
        "MonitorConfig",
        "track_export_size",
    ),
    same(
        "MonitoredExporter.monitor_config.track_success_rate",
        "obs-pipeline",
        "MonitorConfig",
        "track_success_rate",
    ),
    same(
        "MonitoredExporter.monitor_config.track_error_types",
        "obs-pipeline",
        "MonitorConfig",
        "track_error_types",
    ),
    same("MonitoredExporter.alert_thresholds", "obs-pipeline", "LaneConfig", "alert_thresholds"),
    renamed(
        "MonitoredExporter.alert_thresholds.export_latency_p95_ms",
        "obs-pipeline",
        "AlertThresholds",
        "export_latency_p95",
        UNIT,
    ),
    same(
        "MonitoredExporter.alert_thresholds.success_rate_percent",
        "obs-pipeline",
        "AlertThresholds",
        "success_rate_percent",
    ),
    same("MonitoredExporter.alert_thresholds.queue_depth", "obs-pipeline", "AlertThresholds", "queue_depth"),
    code(
        "MonitoredExporter.self_metrics_exporter",
        "obs-pipeline",
        "self_metrics",
        "one destination, named, has the metrics of all",
    ),
    code("exporter.update_config.batch_size", "obs-pipeline", "update_config", "it takes a whole LaneConfig"),
    same("enable_debug_mode.trace_exports", "obs-pipeline", "InspectConfig", "trace_exports"),
    same("enable_debug_mode.log_payloads", "obs-pipeline", "InspectConfig", "log_payloads"),
    same("enable_debug_mode.measure_performance", "obs-pipeline", "InspectConfig", "measure_performance"),
    same("enable_debug_mode.validate_schemas", "obs-pipeline", "InspectConfig", "validate_schemas"),
];

const FILES: &str = "pipelines are made in code; files that describe whole pipelines are not built yet";

const DEPLOYED: &[Row] = &[
    nowhere("exporters.**", FILES),
    same("prometheus.pushgateway_url", "obs-prometheus", "PrometheusConfig", "pushgateway_url"),
    same("prometheus.job_name", "obs-prometheus", "PrometheusConfig", "job_name"),
    renamed(
        "prometheus.labels",
        "obs-prometheus",
        "PrometheusConfig",
        "additional_labels",
        "`labels` is another name that it is read under",
    ),
    renamed(
        "datadog.api_key_secret",
        "obs-datadog",
        "DatadogConfig",
        "api_key",
        "what fills in secrets belongs to the file that describes a pipeline",
    ),
    same("datadog.site", "obs-datadog", "DatadogConfig", "site"),
    same("datadog.tags", "obs-datadog", "DatadogConfig", "tags"),
    nowhere("PROFILING_EXPORTERS_CONFIG", FILES),
    nowhere("PROFILING_EXPORTER", "it is an example of a prefix"),
    nowhere("MONITORING_API_KEY", "it is an example of a variable"),
    variable(
        "PROFILING_PROMETHEUS_PUSHGATEWAY_URL",
        "obs-prometheus",
        "PROFILING_PROMETHEUS_PUSHGATEWAY_URL",
        "",
    ),
    renamed(
        "PROFILING_OTEL_ENDPOINT",
        "obs-http",
        "HttpConfig",
        "endpoint",
        "the variable is `PROFILING_OTEL_EXPORTER_OTLP_ENDPOINT`: behind the prefix stands OpenTelemetry's name",
    ),
    variable("PROFILING_DATADOG_API_KEY", "obs-datadog", "DATADOG_API_KEY", "it stands behind the prefix"),
    variable("DATADOG_API_KEY", "obs-datadog", "DATADOG_API_KEY", ""),
    variable("DATADOG_APP_KEY", "obs-datadog", "DATADOG_APP_KEY", ""),
    variable("NEW_RELIC_LICENSE_KEY", "obs-newrelic", "NEW_RELIC_LICENSE_KEY", ""),
    variable("NEW_RELIC_ACCOUNT_ID", "obs-newrelic", "NEW_RELIC_ACCOUNT_ID", ""),
];
