//! What the provider itself says that a call cost.

use obs_core::{Attributes, Cost, Value};

/// Under which attributes that comes, in US dollars: the whole, the input's part, the output's.
pub(super) const NAMES: [[&str; 3]; 2] = [
    ["gen_ai.usage.cost", "gen_ai.usage.input_cost", "gen_ai.usage.output_cost"],
    ["llm.cost.total", "llm.cost.prompt", "llm.cost.completion"],
];

/// The cost, if the provider said one.
pub(super) fn of(attributes: &Attributes) -> Option<Cost> {
    find(attributes).map(|(cost, _)| cost)
}

/// As [`of`]; what it was told under is then no longer there, since it stands in the span's field.
pub(super) fn take(attributes: &mut Attributes) -> Option<Cost> {
    let (cost, names) = find(attributes)?;
    for name in names {
        attributes.remove(name);
    }
    Some(cost)
}

fn find(attributes: &Attributes) -> Option<(Cost, &'static [&'static str; 3])> {
    if attributes.is_empty() {
        return None;
    }
    let amount = |name| {
        let amount = attributes.get(name).and_then(Value::as_f64)?;
        (amount.is_finite() && amount >= 0.0).then_some(amount)
    };
    NAMES.iter().find_map(|names| {
        let [total, input, output] = names.map(amount);
        Some((Cost { input, output, ..Cost::usd(total?) }, names))
    })
}
