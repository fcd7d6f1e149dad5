"""Reads what obs-file and obs-store wrote with DuckDB, pyarrow and SQLite, and writes as JSON what each of them sees.

The arguments are the folder with a folder for each format, and the store.
No reader is given more than the names and the types of the columns.
"""

import glob
import json
import sqlite3
import sys

import duckdb
import pyarrow
import pyarrow.compute
import pyarrow.csv
import pyarrow.parquet

IDS = {"trace_id": "VARCHAR", "span_id": "VARCHAR"}
COLUMNS = {
    "spans": IDS
    | {"input_tokens": "BIGINT", "output_tokens": "BIGINT", "cost": "DOUBLE", "duration_ns": "BIGINT"},
    "logs": IDS | {"time_ns": "BIGINT"},
    "metrics": IDS | {"value": "DOUBLE"},
    "scores": IDS | {"id": "VARCHAR", "value": "DOUBLE"},
    "feedback": IDS | {"id": "VARCHAR", "value": "DOUBLE"},
}
# The file names have the signal's name.
SIGNALS = {"spans": "traces"}

FINITE = "sum(CASE WHEN abs(value) < 1e300 THEN value END)"
QUERIES = {
    "spans": (
        ["count", "ids", "input_tokens", "output_tokens", "cost", "duration_ns"],
        "SELECT count(*), count(DISTINCT trace_id || span_id), sum(input_tokens), sum(output_tokens), sum(cost),"
        " sum(duration_ns) FROM spans",
    ),
    "logs": (["count", "under_a_span"], "SELECT count(*), count(span_id) FROM logs"),
    "metrics": (["count", "value"], f"SELECT count(*), {FINITE} FROM metrics"),
    "scores": (["count", "ids", "value"], f"SELECT count(*), count(DISTINCT id), {FINITE} FROM scores"),
    "feedback": (["count", "ids", "value"], f"SELECT count(*), count(DISTINCT id), {FINITE} FROM feedback"),
    "spans with their scores": (
        ["count", "value", "duration_ns"],
        "SELECT count(*), sum(value), sum(duration_ns) FROM spans JOIN scores USING (trace_id, span_id)",
    ),
}

# Where the canonical JSON of a record has what the tables have as columns.
USAGE = "CAST(coalesce(r->>'$.type.llm_generation.usage.{0}', r->>'$.type.embedding.usage.{0}') AS BIGINT)"
SPANS = {
    "input_tokens": USAGE.format("input"),
    "output_tokens": USAGE.format("output"),
    "cost": "CAST(r->>'$.type.llm_generation.cost.total' AS DOUBLE)",
    "duration_ns": "greatest(CAST(r->>'$.end' AS BIGINT) - CAST(r->>'$.start' AS BIGINT), 0)",
}
MEASURED = ["add", "up_down", "gauge", "sample", "sum.value", "histogram.sum", "exp_histogram.sum"]
MEASURED = ", ".join(f"r->>'$.value.{place}'" for place in MEASURED)
JUDGED = "coalesce(CAST(r->>'$.value.numeric.value' AS DOUBLE), CAST(CAST(r->>'$.value.boolean' AS BOOLEAN) AS INT))"
RECORDS = {
    "spans": ("record->'$.ended'", "$", SPANS),
    "logs": ("record", "$.span", {"time_ns": "CAST(r->>'$.time' AS BIGINT)"}),
    "metrics": ("record", "$.exemplar.span", {"value": f"CAST(coalesce({MEASURED}) AS DOUBLE)"}),
    "scores": ("record", "$.target.span", {"id": "r->>'$.id'", "value": JUDGED}),
    "feedback": ("record", "$.target.span", {"id": "r->>'$.id'", "value": JUDGED}),
}


def files(folder, form, table):
    signal = SIGNALS.get(table, table)
    found = sorted(glob.glob(f"{folder}/{form}/*{signal}*.{form}"))
    if not found:
        raise SystemExit(f"no file of {signal} in {folder}/{form}")
    return found


def asked(execute):
    seen = {}
    for table, (names, query) in QUERIES.items():
        seen[table] = dict(zip(names, execute(query).fetchone()))
    return seen


def by_duckdb(folder, form):
    # What is not in the package is not fetched.
    base = duckdb.connect(config={"autoinstall_known_extensions": "false"})
    for table, columns in COLUMNS.items():
        found = files(folder, form, table)
        if form == "parquet":
            source = f"SELECT {', '.join(columns)} FROM read_parquet({found})"
        elif form == "csv":
            cells = [f"CAST(nullif({name}, '') AS {kind}) AS {name}" for name, kind in columns.items()]
            options = "header=true, all_varchar=true, delim=',', quote='\"', escape='\"', max_line_size=67108864"
            source = f"SELECT {', '.join(cells)} FROM read_csv({found}, {options})"
        else:
            record, ids, cells = RECORDS[table]
            cells = {name: f"r->>'{ids}.{name}'" for name in IDS} | cells
            cells = ", ".join(f"{cell} AS {name}" for name, cell in cells.items())
            fields = "{'v': 'INTEGER', 'signal': 'VARCHAR', 'record': 'JSON'}"
            lines = f"read_json({found}, format='newline_delimited', columns={fields}, maximum_object_size=67108864)"
            source = f"SELECT {cells} FROM (SELECT {record} AS r FROM {lines})"
        base.execute(f"CREATE TABLE {table} AS {source}")
    return asked(base.execute)


ARROW = {"VARCHAR": pyarrow.string(), "BIGINT": pyarrow.int64(), "DOUBLE": pyarrow.float64()}


def by_pyarrow(folder, form):
    tables = {}
    for table, columns in COLUMNS.items():
        found = files(folder, form, table)
        if form == "parquet":
            parts = [pyarrow.parquet.read_table(path, columns=list(columns)) for path in found]
        else:
            convert = pyarrow.csv.ConvertOptions(
                include_columns=list(columns),
                column_types={name: ARROW[kind] for name, kind in columns.items()},
                strings_can_be_null=True,
            )
            parse = pyarrow.csv.ParseOptions(newlines_in_values=True)
            read = pyarrow.csv.ReadOptions(block_size=64 << 20)
            options = dict(convert_options=convert, parse_options=parse, read_options=read)
            parts = [pyarrow.csv.read_csv(path, **options) for path in found]
        tables[table] = pyarrow.concat_tables(parts)
        for name, kind in columns.items():
            there = tables[table].schema.field(name).type
            if there != ARROW[kind]:
                raise SystemExit(f"{table}.{name} of {form} is {there}, and should be {ARROW[kind]}")
    return seen_in(tables)


def seen_in(tables):
    of = pyarrow.compute

    def total(column):
        return of.sum(column).as_py()

    def finite(table):
        value = tables[table]["value"]
        return total(value.filter(of.is_finite(value)))

    def ids(table):
        return of.count_distinct(tables[table]["id"]).as_py()

    spans, scores = tables["spans"], tables["scores"]
    both = of.binary_join_element_wise(spans["trace_id"], spans["span_id"], "")
    joined = spans.join(scores, keys=list(IDS), join_type="inner")
    sums = {name: total(spans[name]) for name in ["input_tokens", "output_tokens", "cost", "duration_ns"]}
    return {
        "spans": {"count": spans.num_rows, "ids": of.count_distinct(both).as_py()} | sums,
        "logs": {"count": tables["logs"].num_rows, "under_a_span": of.count(tables["logs"]["span_id"]).as_py()},
        "metrics": {"count": tables["metrics"].num_rows, "value": finite("metrics")},
        "scores": {"count": scores.num_rows, "ids": ids("scores"), "value": finite("scores")},
        "feedback": {
            "count": tables["feedback"].num_rows,
            "ids": ids("feedback"),
            "value": finite("feedback"),
        },
        "spans with their scores": {
            "count": joined.num_rows,
            "value": total(joined["value"]),
            "duration_ns": total(joined["duration_ns"]),
        },
    }


def main():
    folder, store = sys.argv[1:]
    seen = {"sqlite": {"obs.db": asked(sqlite3.connect(f"file:{store}?mode=ro", uri=True).execute)}}
    seen["duckdb"] = {form: by_duckdb(folder, form) for form in ["parquet", "csv", "jsonl"]}
    seen["pyarrow"] = {form: by_pyarrow(folder, form) for form in ["parquet", "csv"]}
    json.dump(seen, sys.stdout)


main()
