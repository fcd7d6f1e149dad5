//! What is particular to CSV.

use std::path::Path;

use jiff::Timestamp as Instant;
use obs_core::{Batch, Level, Log, Metric, MetricValue, Payload, Signal, Timestamp};
use obs_file::{ColumnType, FileFormat, columns};
use obs_testkit::fixtures::{self, NASTY_TEXTS};

use crate::table::{Cell, Row, write_with};

/// A field, and whether it stands in quotes.
type Field = (bool, String);

/// The rows of a file as RFC 4180 has them, so that empty text and no text are told apart, which the `csv` crate does not.
fn fields(text: &str) -> Vec<Vec<Field>> {
    let (mut rows, mut row, mut field): (_, Vec<Field>, Field) = (Vec::new(), Vec::new(), Field::default());
    let (mut open, mut chars) = (false, text.chars().peekable());
    while let Some(c) = chars.next() {
        match c {
            '"' if open && chars.next_if_eq(&'"').is_some() => field.1.push('"'),
            '"' => {
                open = !open;
                field.0 = true;
            }
            ',' if !open => row.push(std::mem::take(&mut field)),
            '\r' if !open && chars.next_if_eq(&'\n').is_some() => {
                row.push(std::mem::take(&mut field));
                rows.push(std::mem::take(&mut row));
            }
            c => field.1.push(c),
        }
    }
    assert!(row.is_empty() && field.1.is_empty(), "the last row has no end");
    rows
}

/// The rows of a file, the header left out.
pub(crate) fn rows(file: &Path, signal: Signal) -> Vec<Row> {
    let text = std::fs::read_to_string(file).unwrap();
    let mut fields = fields(&text).into_iter();
    let columns = columns(signal);
    let names: Vec<&str> = columns.iter().map(|column| column.name).collect();
    assert_eq!(fields.next().unwrap().iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>(), names);

    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let mut records = reader.records();
    let rows = fields.map(|row| {
        let record = records.next().unwrap().unwrap();
        assert!(record.iter().eq(row.iter().map(|(_, text)| text.as_str())), "{record:?}");
        assert_eq!(row.len(), columns.len());
        let cells = columns.iter().zip(row);
        cells.map(|(column, field)| (column.name.to_owned(), cell(column.column_type, field))).collect()
    });
    let rows = rows.collect();
    assert!(records.next().is_none());
    rows
}

fn cell(column_type: ColumnType, (quoted, text): Field) -> Cell {
    if !quoted && text.is_empty() {
        return Cell::Empty;
    }
    assert_eq!(quoted, matches!(column_type, ColumnType::Text | ColumnType::Json), "{text}");
    match column_type {
        ColumnType::Integer => Cell::Integer(text.parse().unwrap()),
        ColumnType::Float => Cell::Float(text.parse().unwrap()),
        ColumnType::Boolean => Cell::Boolean(text.parse().unwrap()),
        ColumnType::Time => Cell::Time(text.parse::<Instant>().unwrap().as_microsecond()),
        // As the documentation says how to have the text that was written.
        _ => Cell::Text(text.strip_prefix('\'').unwrap_or(&text).to_owned()),
    }
}

async fn written(batch: Batch) -> String {
    let written = write_with(&batch, |config| config.with_file_format(FileFormat::Csv)).await;
    assert_eq!(written.files.len(), 1, "{:?}", written.files);
    assert!(written.dir.path().is_dir());
    std::fs::read_to_string(&written.files[0]).unwrap()
}

#[tokio::test]
async fn no_cell_of_text_begins_as_a_formula_does() {
    let formulas = [
        "=1+1",
        "+1",
        "-1",
        "@A1",
        "\t=1",
        "\r=1",
        "\n=1",
        " =1",
        "\0=1",
        "＝1",
        "'=1",
        "=cmd|' /C calc'!A0",
    ];
    let texts = formulas.into_iter().chain(NASTY_TEXTS);
    let logs = texts.map(|text| {
        let mut log = Log::new(Timestamp::from_nanos(1), Level::Info, text);
        log.data = Some(Payload::text(text));
        log.event_name = Some(text.into());
        log.attributes.push(text, text);
        log
    });
    let text = written(Batch::Logs(logs.collect())).await;
    for row in fields(&text) {
        for (quoted, text) in row {
            let seen =
                text.trim_start_matches(|c: char| c.is_whitespace() || c.is_control() || c == '\u{feff}');
            let formula = seen.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
            assert!(!formula, "{text:?}");
            assert!(!text.starts_with(['\t', '\r', '\n', '\0']), "{text:?}");
            assert!(
                quoted || text.chars().all(|c| c.is_ascii_alphanumeric() || "_.:-".contains(c)),
                "{text:?}"
            );
        }
    }
}

#[tokio::test]
async fn numbers_stay_numbers() {
    let metric = Metric::new(Timestamp::from_nanos(1), "temperature", MetricValue::Gauge(-273.15));
    let text = written(Batch::Metrics([metric].into_iter().collect())).await;
    assert!(text.contains(",\"gauge\",-273.15,"), "{text}");
}

#[tokio::test]
async fn a_file_of_each_signal_looks_like_this() {
    for signal in Signal::ALL {
        let Batch::Traces(spans) = fixtures::batch(signal) else {
            insta::assert_snapshot!(format!("csv_{signal}"), written(fixtures::batch(signal)).await);
            continue;
        };
        let first = Batch::Traces(spans.slice(0..4));
        insta::assert_snapshot!(format!("csv_{signal}"), written(first).await);
    }
}
