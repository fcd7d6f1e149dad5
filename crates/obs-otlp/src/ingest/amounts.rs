//! Amounts of money on their way into a cost.

use obs_core::{Cost, Value};

use super::pairs::once;
use super::value::{number, parsed};
use crate::conventions::Field;

/// What a model call cost, as far as it was said, in US dollars.
#[derive(Debug, Default)]
pub(super) struct Amounts {
    total: Option<f64>,
    input: Option<f64>,
    output: Option<f64>,
}

impl Amounts {
    /// Takes an amount, or all of them in one object; gives the value back if it is none or another was said already.
    pub(super) fn set(&mut self, field: Field, value: Value) -> Option<Value> {
        let slot = match field {
            Field::Cost => &mut self.total,
            Field::InputCost => &mut self.input,
            Field::OutputCost => &mut self.output,
            Field::CostDetails => return self.set_details(value),
            _ => return Some(value),
        };
        once(slot, number(&value).filter(|amount| amount.is_finite()), value)
    }

    /// Amounts in one object; it is kept as well if one of them has no field, or contradicts what was given alone.
    fn set_details(&mut self, value: Value) -> Option<Value> {
        let Some(Value::Map(map)) = parsed(&value) else { return Some(value) };
        let mut whole = true;
        for (key, amount) in map {
            let left = match key.as_str() {
                "total" => self.set(Field::Cost, amount),
                "input" => self.set(Field::InputCost, amount),
                "output" => self.set(Field::OutputCost, amount),
                _ => Some(amount),
            };
            whole &= left.is_none();
        }
        (!whole).then_some(value)
    }

    /// The whole cost, or the sum of its parts where the whole was not stated.
    pub(super) fn finish(self) -> Option<Cost> {
        let Self { total, input, output } = self;
        let parts = || {
            Some(input.unwrap_or(0.0) + output.unwrap_or(0.0)).filter(|_| input.is_some() || output.is_some())
        };
        let total = total.or_else(parts)?;
        Some(Cost { input, output, ..Cost::usd(total) })
    }
}
