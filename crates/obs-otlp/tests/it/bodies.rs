//! Bodies held against those of `opentelemetry-proto`, with prost and with serde.

use obs_otlp::encode::Chunk;
use proptest::prelude::*;
use prost::Message;
use serde::Serialize;

/// Sizes that requests are cut to: by nothing, by items, by bytes, each alone.
pub(crate) const CUTS: [(usize, usize); 4] =
    [(usize::MAX, usize::MAX), (7, usize::MAX), (512, 40_000), (0, 0)];

pub(crate) fn max_bytes() -> impl Strategy<Value = usize> {
    prop_oneof![Just(usize::MAX), 0usize..6_000]
}

/// The first difference, told in few words: bodies are large.
#[track_caller]
fn same_bytes(ours: &[u8], theirs: &[u8]) {
    if ours != theirs {
        let at = ours.iter().zip(theirs).take_while(|(a, b)| a == b).count();
        let near = |bytes: &[u8]| bytes[at.saturating_sub(20)..bytes.len().min(at + 20)].to_vec();
        panic!(
            "{} and {} bytes differ at {at}: {:?} {:?}",
            ours.len(),
            theirs.len(),
            near(ours),
            near(theirs)
        );
    }
}

/// Every record once and in order.
#[track_caller]
fn all_of(records: usize, chunks: &[Chunk]) {
    let carried: Vec<usize> = chunks.iter().flat_map(|chunk| chunk.records.clone()).collect();
    assert_eq!(carried, (0..records).collect::<Vec<_>>());
}

/// Every record once and in order, in bodies that are prost's, as large as they may be and no larger.
#[track_caller]
pub(crate) fn check_protobuf<M: Message>(
    records: usize,
    (max_items, max_bytes): (usize, usize),
    chunks: &[Chunk],
    expected: impl Fn(&[usize]) -> M,
) {
    all_of(records, chunks);
    for chunk in chunks {
        same_bytes(&chunk.body, &expected(&chunk.records).encode_to_vec());
        assert!(chunk.records.len() <= max_items.max(1));
        assert!(chunk.body.len() <= max_bytes || chunk.records.len() == 1);
        let mut more = chunk.records.clone();
        more.push(more[more.len() - 1] + 1);
        if more.len() <= max_items && more[more.len() - 1] < records {
            assert!(expected(&more).encoded_len() > max_bytes, "there was room for one more");
        }
    }
}

/// Bodies as serde writes them for `opentelemetry-proto`, less what is a default there.
#[track_caller]
pub(crate) fn check_json<M: Serialize>(
    records: usize,
    (max_items, max_bytes): (usize, usize),
    chunks: &[Chunk],
    expected: impl Fn(&[usize]) -> M,
) {
    all_of(records, chunks);
    for chunk in chunks {
        assert!(chunk.records.len() <= max_items.max(1));
        assert!(chunk.body.len() <= max_bytes || chunk.records.len() == 1);
        let mut ours: serde_json::Value = serde_json::from_slice(&chunk.body).unwrap();
        let mut theirs = serde_json::to_value(expected(&chunk.records)).unwrap();
        normalise(&mut ours);
        normalise(&mut theirs);
        assert_eq!(ours, theirs);
    }
}

/// Leaves out defaults, and non-finite numbers, which serde writes as `null`.
fn normalise(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(fields) => {
            for (name, value) in fields.iter_mut() {
                if ["doubleValue", "asDouble", "min", "max"].contains(&name.as_str()) && value.is_string() {
                    *value = serde_json::Value::Null;
                }
                normalise(value);
            }
            fields.retain(|name, value| !is_default(name, value));
        }
        serde_json::Value::Array(values) => values.iter_mut().for_each(normalise),
        _ => {}
    }
}

fn is_default(name: &str, value: &serde_json::Value) -> bool {
    match name {
        "key" | "value" | "values" | "stringValue" | "boolValue" | "intValue" | "doubleValue" => false,
        _ => {
            value.is_null()
                || value.as_u64() == Some(0)
                || value.as_bool() == Some(false)
                || value.as_str().is_some_and(|text| ["", "0"].contains(&text))
                || value.as_array().is_some_and(Vec::is_empty)
        }
    }
}
