//! What model calls used that are hidden below a span: the attributes that tell it on the span that shows them.
//!
//! They are no usage of the span's own; [`Trace::usage`](crate::Trace::usage) and [`Trace::cost`](crate::Trace::cost)
//! count them besides, so that sums stay the same whether a call is hidden or shown.

use crate::{Attributes, Cost, Str, Usage, Value};

/// Input tokens of hidden calls.
pub const INPUT_TOKENS: &str = "obs.hidden.usage.input_tokens";
/// Output tokens of hidden calls.
pub const OUTPUT_TOKENS: &str = "obs.hidden.usage.output_tokens";
/// What hidden calls cost, in US dollars; amounts in other currencies have names such as `obs.hidden.EUR.cost`.
pub const COST: &str = "obs.hidden.cost";
/// Whether a price or a count was missing, so that the amounts are not exact.
pub const COST_PARTIAL: &str = "obs.hidden.cost.partial";
/// Whether an amount was worked out from a list of prices; else the provider or the application said them all.
pub const COST_ESTIMATED: &str = "obs.hidden.cost.estimated";

/// Whether the hidden calls stand beside a model call's own tokens and cost, as below a tool that it called; else these are
/// taken for the same calls once more, as frameworks report them on nested spans.
pub const BESIDE: &str = "obs.hidden.beside";

/// What stands around a currency in the name of its amount. Whatever a caller calls a currency, `partial` or `token`, such a
/// name is no other one's, nor one under which redaction looks for secrets.
const BEFORE: &str = "obs.hidden.";
const AFTER: &str = ".cost";

/// The attribute of the amount in this currency.
pub fn cost_name(currency: &str) -> Str {
    match currency {
        "USD" => Str::from_static(COST),
        other => format!("{BEFORE}{other}{AFTER}").into(),
    }
}

/// The tokens of hidden calls; `None` where there are none, or they did not say.
pub fn usage(attributes: &Attributes) -> Option<Usage> {
    let tokens =
        |name| attributes.get(name).and_then(Value::as_i64).and_then(|tokens| tokens.try_into().ok());
    let usage = Usage { input: tokens(INPUT_TOKENS), output: tokens(OUTPUT_TOKENS), ..Usage::default() };
    (!usage.is_empty()).then_some(usage)
}

/// What hidden calls cost, an amount for each currency.
pub fn costs(attributes: &Attributes) -> Vec<Cost> {
    let says = |name| attributes.get(name) == Some(&Value::Bool(true));
    let amount = |(name, value): (&Str, &Value)| {
        let currency = match &**name {
            COST => "USD",
            other => other.strip_prefix(BEFORE)?.strip_suffix(AFTER)?,
        };
        let (partial, estimated) = (says(COST_PARTIAL), says(COST_ESTIMATED));
        Some(Cost { currency: Str::copied(currency), partial, estimated, ..Cost::usd(value.as_f64()?) })
    };
    attributes.iter().filter_map(|(name, value)| amount((name, value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_by_their_currency_and_nothing_else_is() {
        let mut attributes = Attributes::new();
        attributes.push(COST, 0.5);
        attributes.push("obs.hidden.EUR.cost", 2);
        attributes.push("obs.hidden.cost.note", 7.0);
        attributes.push("obs.hidden.costs", 7.0);
        attributes.push(COST_PARTIAL, true);
        let told: Vec<_> = costs(&attributes)
            .into_iter()
            .map(|cost| (cost.total, cost.currency.to_string(), cost.partial, cost.estimated))
            .collect();
        assert_eq!(told, [(0.5, "USD".to_owned(), true, false), (2.0, "EUR".to_owned(), true, false)]);
        assert_eq!((cost_name("USD"), cost_name("EUR")), (COST.into(), "obs.hidden.EUR.cost".into()));
        assert_eq!(usage(&attributes), None);
        attributes.push(OUTPUT_TOKENS, 3);
        assert_eq!(usage(&attributes), Some(Usage { output: Some(3), ..Usage::default() }));
    }

    #[test]
    fn a_currency_is_called_what_a_caller_calls_it() {
        let currencies = ["USD", "usd", "credits", "partial", "estimated", "token", "a.b", "", "cost", "Ø"];
        let mut attributes = Attributes::new();
        for (at, currency) in currencies.into_iter().enumerate() {
            attributes.push(cost_name(currency), at as f64);
        }
        attributes.push(BESIDE, true);
        let told = costs(&attributes);
        let told: Vec<_> = told.iter().map(|cost| (&*cost.currency, cost.total, cost.partial)).collect();
        let expected: Vec<_> =
            currencies.into_iter().enumerate().map(|(at, currency)| (currency, at as f64, false)).collect();
        assert_eq!(told, expected);
    }
}
