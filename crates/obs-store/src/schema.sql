-- One row a record. Times are nanoseconds since 1970-01-01 UTC, ids lower-case hex.
-- `rest` is canonical JSON of all that has no column of its own, so that a row reads back as the record it was.
-- Columns that queries look at stand before the long ones, which then lie on overflow pages that are not read.

CREATE TABLE spans (
    trace_id TEXT NOT NULL,
    span_id TEXT NOT NULL,
    parent_span_id TEXT,
    name TEXT NOT NULL,
    type TEXT NOT NULL,
    status TEXT NOT NULL,
    start_ns INTEGER NOT NULL,
    end_ns INTEGER,
    model TEXT,
    provider TEXT,
    input_tokens INTEGER,
    output_tokens INTEGER,
    cost REAL,
    service TEXT,
    session_id TEXT,
    user_id TEXT,
    error_message TEXT,
    rest TEXT NOT NULL,
    input TEXT,
    output TEXT,
    duration_ns INTEGER GENERATED ALWAYS AS (max(end_ns - start_ns, 0)) VIRTUAL
);

-- The one index finds a trace, lists traces by time without reading their rows, and keeps a span that is delivered
-- twice from standing here twice.
CREATE UNIQUE INDEX spans_of_trace ON spans (trace_id, start_ns, span_id);

CREATE TABLE logs (
    time_ns INTEGER NOT NULL,
    level TEXT NOT NULL,
    message TEXT NOT NULL,
    event_name TEXT,
    trace_id TEXT,
    span_id TEXT,
    service TEXT,
    session_id TEXT,
    user_id TEXT,
    rest TEXT NOT NULL,
    data TEXT
);

CREATE INDEX logs_of_trace ON logs (trace_id) WHERE trace_id IS NOT NULL;

CREATE TABLE metrics (
    time_ns INTEGER NOT NULL,
    name TEXT NOT NULL,
    type TEXT NOT NULL,
    value REAL,
    count INTEGER,
    unit TEXT,
    labels TEXT,
    trace_id TEXT,
    span_id TEXT,
    service TEXT,
    rest TEXT NOT NULL
);

CREATE TABLE scores (
    id TEXT NOT NULL UNIQUE,
    time_ns INTEGER NOT NULL,
    name TEXT NOT NULL,
    value REAL,
    label TEXT,
    comment TEXT,
    source TEXT,
    scorer TEXT,
    trace_id TEXT,
    span_id TEXT,
    session_id TEXT,
    user_id TEXT,
    experiment_id TEXT,
    service TEXT,
    rest TEXT NOT NULL
);

CREATE INDEX scores_of_trace ON scores (trace_id) WHERE trace_id IS NOT NULL;

CREATE TABLE feedback (
    id TEXT NOT NULL UNIQUE,
    time_ns INTEGER NOT NULL,
    kind TEXT NOT NULL,
    value REAL,
    label TEXT,
    comment TEXT,
    source TEXT,
    user_id TEXT,
    trace_id TEXT,
    span_id TEXT,
    session_id TEXT,
    experiment_id TEXT,
    service TEXT,
    rest TEXT NOT NULL
);

CREATE INDEX feedback_of_trace ON feedback (trace_id) WHERE trace_id IS NOT NULL;

-- For people: one row a trace, the latest last.
CREATE VIEW traces AS
SELECT
    trace_id,
    max(CASE WHEN parent_span_id IS NULL THEN name END) AS name,
    strftime('%Y-%m-%d %H:%M:%f', min(start_ns) / 1e9, 'unixepoch') AS started,
    (max(coalesce(end_ns, start_ns)) - min(start_ns)) / 1e6 AS duration_ms,
    count(*) AS spans,
    sum(status = 'error') AS errors,
    group_concat(DISTINCT model) AS models,
    max(service) AS service,
    max(session_id) AS session_id,
    max(user_id) AS user_id
FROM spans
GROUP BY trace_id
ORDER BY min(start_ns);
