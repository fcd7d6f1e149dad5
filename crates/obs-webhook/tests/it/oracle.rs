//! A second reader of every body: it shares nothing with the exporter, and finds the records that were sent.

use obs_core::{Batch, Exporter, Record, Signal};
use obs_testkit::{CaptureServer, Captured, fixtures};
use obs_webhook::{Format, Shape};
use serde_json::{Value, json};

use crate::server;

/// A form of a body, and a reader of its records.
type Form = (Format, Shape, fn(&Captured) -> Vec<Value>);

/// Every form of a body, and how its records are found in it.
const FORMS: [Form; 6] = [
    (Format::Json, Shape::Object, of_object),
    (Format::Json, Shape::Array, of_array),
    (Format::Json, Shape::Record, of_lines),
    (Format::Ndjson, Shape::Object, of_lines),
    (Format::Form, Shape::Object, |request| of_object(&unformed(request))),
    (Format::Form, Shape::Record, |request| of_lines(&unformed(request))),
];

fn of_object(request: &Captured) -> Vec<Value> {
    let json = read(&request.body);
    assert_eq!((&json["v"], json.as_object().unwrap().len()), (&json!(1), 3));
    let signal = request.path.rsplit('/').next().unwrap();
    assert_eq!(json["signal"], signal);
    json["records"].as_array().unwrap().clone()
}

fn of_array(request: &Captured) -> Vec<Value> {
    read(&request.body).as_array().unwrap().clone()
}

fn of_lines(request: &Captured) -> Vec<Value> {
    let text = std::str::from_utf8(&request.body).unwrap();
    let signal = request.path.rsplit('/').next().unwrap();
    let record = |line: &str| {
        let mut line = read(line.as_bytes());
        assert_eq!((&line["v"], &line["signal"]), (&json!(1), &json!(signal)));
        line["record"].take()
    };
    text.lines().map(record).collect()
}

/// The field `payload` of a form, by the letter: `+` is a space, `%XX` a byte.
fn unformed(request: &Captured) -> Captured {
    let text = std::str::from_utf8(&request.body).unwrap();
    assert!(text.bytes().all(|byte| byte.is_ascii_graphic()), "a form is ASCII");
    let value = text.strip_prefix("payload=").unwrap();
    assert!(!value.contains(['&', '=']));
    let (mut body, mut bytes) = (Vec::new(), value.bytes());
    while let Some(byte) = bytes.next() {
        body.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [bytes.next().unwrap(), bytes.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
            }
            other => other,
        });
    }
    Captured { body, ..request.clone() }
}

/// JSON however deep.
fn read(json: &[u8]) -> Value {
    serde_json::from_slice(json).unwrap()
}

/// Whether a reader of JSON takes a record at all: numbers beyond what a float can hold, and what nests deeper than 127
/// levels, are JSON that most refuse. Those of a mebibyte say nothing more here, and take long.
fn is_readable(record: &Record) -> bool {
    let mut line = Vec::new();
    record.write_line(&mut line).unwrap();
    line.len() < 1 << 16 && serde_json::from_slice::<Value>(&line).is_ok()
}

fn canonical(record: &Record) -> Value {
    let mut line = Vec::new();
    record.write_line(&mut line).unwrap();
    read(&line)["record"].take()
}

fn readable(batch: &Batch) -> Batch {
    let records = batch.to_records();
    let positions: Vec<usize> = (0..records.len()).filter(|at| is_readable(&records[*at])).collect();
    batch.select(&positions)
}

#[tokio::test]
async fn every_record_is_in_every_form_of_body_whole_and_in_order() {
    for (format, shape, records_of) in FORMS {
        let server = CaptureServer::start().await;
        let exporter = server::exporter(server::config(&server).with_format(format).with_shape(shape));
        for batch in fixtures::all().into_iter().chain(fixtures::trace_batches()) {
            let batch = readable(&batch);
            let receipt = exporter.export(&batch).await.unwrap();
            let requests = server.take_requests();
            assert_eq!(receipt.delivered, batch.len());
            let found: Vec<Value> = requests.iter().flat_map(records_of).collect();
            let wanted: Vec<Value> = batch.to_records().iter().map(canonical).collect();
            assert!(found == wanted, "{} as {format:?} {shape:?}", batch.signal());
            if shape == Shape::Record {
                assert_eq!(requests.len(), batch.len());
            }
        }
    }
}

#[tokio::test]
async fn lines_are_those_that_files_have() {
    let server = CaptureServer::start().await;
    let exporter = server::exporter(server::config(&server).with_format(Format::Ndjson));
    for batch in fixtures::all() {
        exporter.export(&batch).await.unwrap();
        let found: Vec<u8> = server.take_requests().into_iter().flat_map(|request| request.body).collect();
        let mut wanted = Vec::new();
        batch.write_lines(&mut wanted, |at, cause| panic!("{at}: {cause}"));
        assert!(found == wanted, "{}", batch.signal());
    }
}

#[tokio::test]
async fn a_dry_run_is_what_is_sent() {
    let server = CaptureServer::start().await;
    let exporter = server::exporter(server::config(&server).with_max_items(2));
    for signal in Signal::ALL {
        let batch = fixtures::batch(signal);
        let dry = exporter.encode(&batch);
        exporter.export(&batch).await.unwrap();
        let sent: Vec<_> = server.take_requests().into_iter().map(|request| request.body).collect();
        assert_eq!(dry, sent);
        assert!(dry.len() > 1);
    }
}
