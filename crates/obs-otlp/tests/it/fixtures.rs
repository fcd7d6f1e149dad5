//! A request as two frameworks write it together, kept as a file, and everything that becomes of it.

use obs_otlp::ingest::{self, Ingested};

#[test]
fn an_agent_with_a_failing_tool_becomes_these_records() {
    let mut all = Ingested::default();
    for line in include_str!("../data/agent.jsonl").lines() {
        all.append(ingest::json(line).unwrap());
    }
    assert_eq!(all.refused, []);
    ingest::link(&mut all.records);
    let mut lines = Vec::new();
    for record in &all.records {
        record.write_line(&mut lines).unwrap();
    }
    insta::assert_snapshot!(String::from_utf8(lines).unwrap());
}
