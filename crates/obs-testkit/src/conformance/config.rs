//! How configurations are read.

use std::fmt;

use serde::de::DeserializeOwned;
use serde_json::Value;

/// A configuration type and an example of what it reads.
#[derive(Clone)]
pub struct ConfigCheck {
    valid: Value,
    read: fn(Value) -> Result<(), String>,
}

impl ConfigCheck {
    /// Reads values as this type; `valid` is an object that it takes.
    pub fn of<T: DeserializeOwned>(valid: Value) -> Self {
        let read = |value| serde_json::from_value::<T>(value).map(drop).map_err(|error| error.to_string());
        Self { valid, read }
    }

    /// Holds it to the rules: the example is taken, an unknown option is refused by name, a misspelt one with the right
    /// name.
    pub(super) fn assert_strict(&self) {
        assert_eq!((self.read)(self.valid.clone()), Ok(()), "the example is not taken");
        let refused = self.refused_with("no_such_option");
        assert!(
            refused.contains("no_such_option"),
            "the message does not name the unknown option: {refused}"
        );
        let names: Vec<&String> =
            self.valid.as_object().into_iter().flat_map(serde_json::Map::keys).collect();
        for name in names {
            let misspelt = format!("{name}x");
            let refused = self.refused_with(&misspelt);
            let tick = format!("`{name}`");
            assert!(
                refused.contains(&misspelt) && refused.contains(&tick),
                "`{misspelt}` is not answered with {tick}: {refused}"
            );
        }
    }

    fn refused_with(&self, option: &str) -> String {
        let mut value = self.valid.clone();
        value[option] = Value::from("x");
        match (self.read)(value) {
            Ok(()) => panic!("the unknown option `{option}` is taken in silence"),
            Err(message) => message,
        }
    }
}

impl fmt::Debug for ConfigCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfigCheck").field("valid", &self.valid).finish_non_exhaustive()
    }
}
