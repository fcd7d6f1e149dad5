//! The table of prices, its form, and finding a model in it.

use std::collections::HashSet;

use obs_core::Env;
use obs_instrument::cost::{ModelPrices, Prices, Rates};
use serde_json::{Value, json};

const TABLE: &str = include_str!("../../prices/prices.json");
const SCHEMA: &str = include_str!("../../prices/prices.schema.json");

fn table() -> Value {
    serde_json::from_str(TABLE).unwrap()
}

fn schema() -> jsonschema::Validator {
    jsonschema::validator_for(&serde_json::from_str(SCHEMA).unwrap()).unwrap()
}

#[test]
fn the_table_has_the_form_that_the_schema_describes() {
    let faults: Vec<_> = schema().iter_errors(&table()).map(|fault| fault.to_string()).collect();
    assert_eq!(faults, [""; 0]);
    let read = Prices::from_json(TABLE).unwrap();
    assert_eq!(read.len(), table()["models"].as_array().unwrap().len());
    assert_eq!(Prices::built_in().len(), read.len());
}

/// The reader and the schema know the same fields, and refuse the same mistakes.
#[test]
fn the_schema_and_the_reader_agree() {
    let full = json!({
        "provider": "p", "model": "m", "aliases": ["n"], "currency": "EUR", "source": "contract", "as_of": "2026-01-31",
        "note": "ours", "known_up_to_input_tokens": 9, "prices": {"input": 1, "output": 2, "cache_read": 0.5,
        "cache_write": 1, "cache_write_5m": 1, "cache_write_1h": 2, "audio_input": 3, "audio_output": 4,
        "image_input": 5, "image_output": 6, "reasoning": 2},
    });
    let with = |field: &str, value: Value| {
        let mut row = full.clone();
        row[field] = value;
        row
    };
    let tiers = json!([{"above_input_tokens": 5, "prices": full["prices"]}]);
    let rows = [
        (full.clone(), true),
        (with("tiers", tiers), true),
        (with("prices", json!({"input": 1})), true),
        (with("prices", json!({"output": 1})), false),
        (with("prices", json!({"input": -1})), false),
        (with("prices", json!({"input": 1, "cached": 1})), false),
        (with("currency", json!("euro")), false),
        (with("as_of", json!("soon")), false),
        (with("model", json!(" ")), false),
        (with("batch", json!(1)), false),
        (with("tiers", json!([{"prices": full["prices"]}])), false),
    ];
    for (row, right) in rows {
        let file = json!({"version": 1, "models": [row]});
        assert_eq!(
            (schema().is_valid(&file), Prices::from_json(&file.to_string()).is_ok()),
            (right, right),
            "{file}"
        );
    }
    let known = serde_json::from_str::<Value>(SCHEMA).unwrap();
    let mut properties: Vec<_> =
        known["$defs"]["model"]["properties"].as_object().unwrap().keys().cloned().collect();
    properties.retain(|name| name != "tiers");
    let given: Vec<_> = full.as_object().unwrap().keys().cloned().collect();
    assert_eq!(
        HashSet::<String>::from_iter(properties),
        HashSet::from_iter(given),
        "the row above names every field"
    );
}

#[test]
fn every_row_says_where_and_when_its_prices_stood_and_makes_sense() {
    let prices = Prices::built_in();
    let mut before = None;
    for row in prices.iter() {
        let name = format!("{} {}", row.provider, row.model);
        assert!(row.source.as_deref().is_some_and(|source| source.starts_with("https://")), "{name}");
        let day = row.as_of.as_deref().unwrap();
        assert!(("2025-01-01".."2026-11-23").contains(&day), "{name}: {day}");
        assert_eq!(row.currency, "USD", "{name}");
        for rates in std::iter::once(&row.prices).chain(row.tiers.iter().map(|tier| &tier.prices)) {
            let Rates { input, output, cache_read, cache_write_5m, cache_write_1h, audio_input, .. } = rates;
            assert!((0.01..=200.0).contains(input), "{name}");
            assert!(cache_read.is_none_or(|price| price <= *input), "{name}");
            assert!(
                output.is_none_or(|price| (*input..=60.0f64.max(*input * 8.01)).contains(&price)),
                "{name}"
            );
            assert!(cache_write_5m.is_none_or(|price| price >= *input), "{name}");
            assert!(cache_write_1h.is_none_or(|price| Some(price) >= *cache_write_5m), "{name}");
            assert!(audio_input.is_none_or(|price| price >= *input), "{name}");
        }
        for (smaller, larger) in
            std::iter::once(&row.prices).chain(row.tiers.iter().map(|t| &t.prices)).zip(&row.tiers)
        {
            assert!(larger.prices.input >= smaller.input, "{name}");
        }
        let at = (row.provider.clone(), row.model.clone());
        assert!(before.as_ref() < Some(&at), "{name} stands out of order");
        before = Some(at);
        for alias in std::iter::once(&row.model).chain(&row.aliases) {
            assert_eq!(
                prices.find(Some(&row.provider), alias).map(|found| &**found),
                Some(row),
                "{name}: {alias}"
            );
        }
    }
    assert!(prices.len() >= 100, "{}", prices.len());
}

/// A batch costs half, and a row of such prices under a model's dated name would halve every estimate.
#[test]
fn no_dated_row_has_the_price_of_a_batch() {
    let prices = Prices::built_in();
    let mut dated = 0;
    for row in prices.iter() {
        let Some((base, _)) = row.model.split_once("-20") else { continue };
        let Some(base) = prices.find(Some(&row.provider), base) else { continue };
        dated += 1;
        assert_ne!(row.prices.input * 2.0, base.prices.input, "{}", row.model);
    }
    assert_eq!(dated, 1, "gpt-4o-2024-05-13 is the one");
}

#[test]
fn models_are_found_by_every_spelling_of_theirs() {
    let prices = Prices::built_in();
    for (provider, model, row) in [
        (Some("openai"), "gpt-4o-mini-2024-07-18", "gpt-4o-mini"),
        (Some("openai"), "gpt-4o-2024-05-13", "gpt-4o-2024-05-13"),
        (Some("azure.ai.openai"), "gpt-4.1-2025-04-14", "gpt-4.1"),
        (Some("openai.responses"), "o3-2025-04-16", "o3"),
        (Some("openai"), "gpt-4o-audio-preview-2024-12-17", "gpt-4o-audio-preview"),
        (Some("azure.ai.openai"), "gpt-35-turbo", "gpt-3.5-turbo"),
        (Some("anthropic"), "claude-3-5-sonnet-latest", "claude-3-5-sonnet"),
        (Some("aws.bedrock"), "us.anthropic.claude-haiku-4-5-20251001-v1:0", "claude-haiku-4-5"),
        (Some("aws.bedrock"), "amazon.nova-lite-v1:0", "nova-lite"),
        (Some("aws.bedrock"), "amazon.titan-embed-text-v2:0", "titan-embed-text-v2"),
        (Some("gcp.vertex_ai"), "claude-sonnet-4@20250514", "claude-sonnet-4"),
        (Some("vertex_ai"), "gemini-2.5-flash", "gemini-2.5-flash"),
        (Some("gcp.gemini"), "models/gemini-2.0-flash-001", "gemini-2.0-flash"),
        (Some("openrouter"), "anthropic/claude-3.5-haiku", "claude-3-5-haiku"),
        (Some("openai"), "mistralai/codestral-2501", "codestral"),
        (Some("mistral"), "mistral-large-2411", "mistral-large-2411"),
        (Some("x_ai"), "grok-3-mini", "grok-3-mini"),
        (None, "gpt-5-mini", "gpt-5-mini"),
    ] {
        let found = prices.find(provider, model).unwrap_or_else(|| panic!("{provider:?} {model}"));
        assert_eq!(found.model, row, "{provider:?} {model}");
    }
}

#[test]
fn what_nobody_knows_is_not_guessed() {
    let prices = Prices::built_in();
    for (provider, model) in [
        (Some("openai"), "gpt-99"),
        (Some("openai"), "ft:gpt-4o-mini-2024-07-18:acme::x1"),
        (Some("ollama"), "mistral-small"),
        (Some("openrouter"), "deepseek/deepseek-chat:free"),
        (Some("openai"), ""),
        (None, "my-own-model"),
    ] {
        assert_eq!(prices.find(provider, model), None, "{provider:?} {model}");
    }
    let tuned = ModelPrices::new("openai", "ft:gpt-4o-mini", Rates::new(0.3, 1.2));
    let own = prices.extend(&Prices::of([tuned]).unwrap());
    assert!(
        own.find(Some("openai"), "ft:gpt-4o-mini-2024-07-18:acme::x1").is_some(),
        "a listed one is known"
    );
}

#[test]
fn rows_of_ones_own_win() {
    let input = |prices: &Prices, provider| prices.find(Some(provider), "gpt-4o").map(|row| row.prices.input);
    let own = [
        ModelPrices::new("OpenAI", "GPT-4o", Rates::new(1.0, 1.0)),
        ModelPrices::new("azure", "gpt-4o", Rates::new(3.0, 3.0)),
    ];
    let merged = Prices::built_in().extend(&Prices::of(own).unwrap());
    assert_eq!(input(&merged, "openai"), Some(1.0));
    assert_eq!(input(&merged, "azure.ai.openai"), Some(3.0));
    assert_eq!(
        input(&Prices::built_in(), "azure.ai.openai"),
        Some(2.5),
        "the built-in table stays as it was"
    );
    assert_eq!(merged.find(None, "gpt-4o"), None, "two sell it, at two prices");
}

#[track_caller]
fn refused(json: &str, parts: &[&str]) {
    let error = Prices::from_json(json).unwrap_err().to_string();
    for part in parts {
        assert!(error.contains(part), "{part} is not in {error}");
    }
}

#[test]
fn mistakes_are_told_with_their_row_and_field_and_what_to_do() {
    let row = |fields: &str| {
        format!(r#"{{"version": 1, "models": [{{"provider": "p", "model": "m", {fields}}}]}}"#)
    };
    refused("[", &["prices", "it is no JSON"]);
    refused(r#"{"models": []}"#, &["`version`"]);
    refused(r#"{"version": 1, "model": []}"#, &["`model`", "did you mean `models`?"]);
    refused(
        &row(r#""prices": {"input": 1, "cache_reads": 1}"#),
        &["row 1, m of p", "did you mean `cache_read`?"],
    );
    refused(&row(r#""prices": {"input": -2}"#), &["m of p: prices, input: -2 is no price"]);
    refused(&row(r#""prices": {"input": 1}, "as_of": "2026-13-01""#), &["m of p: as_of", "2026-10-24"]);
    let tier = r#""prices": {"input": 1, "output": 2}, "tiers": [{"above_input_tokens": 5, "prices": {"input": 2}}]"#;
    refused(&row(tier), &["tiers, above 5", "lacks `output`"]);
    let twice = r#"{"version": 1, "models": [
        {"provider": "openai", "model": "m.1", "prices": {"input": 1}},
        {"provider": "OpenAI", "model": "M-1", "prices": {"input": 2}}]}"#;
    refused(twice, &["M-1 of OpenAI", "there twice"]);
}

#[test]
fn a_file_of_ones_own_is_named_by_a_variable() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.json");
    let text =
        r#"{"version": 1, "models": [{"provider": "acme", "model": "acme-1", "prices": {"input": 1}}]}"#;
    std::fs::write(&path, text).unwrap();
    let env = |path: &std::path::Path| Env::of([("OBS_PRICES", path.to_str().unwrap())]);
    let prices = Prices::from_env(&env(&path)).unwrap().unwrap();
    assert!(prices.find(Some("acme"), "acme-1").is_some() && prices.find(Some("openai"), "gpt-4o").is_some());
    assert!(Prices::from_env(&Env::of([("OBS_PRICES", "")])).unwrap().is_none());
    let error = Prices::from_env(&env(&folder.path().join("none.json"))).unwrap_err().to_string();
    assert!(error.contains("OBS_PRICES") && error.contains("none.json"), "{error}");
}
