//! Token usage.

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

/// The tokens of one model call: inclusive totals, and buckets that detail them.
///
/// A total includes all of its buckets: cached input is part of `input`, reasoning is part of `output`.
/// Exporters project this to their vendor's accounting with [`Usage::input_text`] and [`Usage::output_text`].
/// A total that the provider did not report is `None`; a bucket it did not report is zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// All input tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<u64>,
    /// All output tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<u64>,
    /// What the input consists of.
    #[serde(skip_serializing_if = "InputTokens::is_zero")]
    pub input_details: InputTokens,
    /// What the output consists of.
    #[serde(skip_serializing_if = "OutputTokens::is_zero")]
    pub output_details: OutputTokens,
}

macro_rules! buckets {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
        #[serde(default)]
        pub struct $name {
            $($(#[$field_doc])* #[serde(skip_serializing_if = "is_zero")] pub $field: u64,)*
        }

        impl $name {
            /// Whether no bucket holds anything.
            pub fn is_zero(&self) -> bool {
                *self == Self::default()
            }
        }

        impl AddAssign for $name {
            fn add_assign(&mut self, other: Self) {
                $(self.$field = self.$field.saturating_add(other.$field);)*
            }
        }
    };
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature serde asks for")]
fn is_zero(value: &u64) -> bool {
    *value == 0
}

buckets! {
    /// Buckets of the input total; what no bucket holds is uncached text.
    InputTokens {
        /// Read from the provider's prompt cache.
        cache_read,
        /// Written to the prompt cache with the provider's default lifetime, or one it did not state.
        cache_write,
        /// Written to the prompt cache for five minutes.
        cache_write_5m,
        /// Written to the prompt cache for an hour.
        cache_write_1h,
        /// Audio.
        audio,
        /// Images.
        image,
    }
}

buckets! {
    /// Buckets of the output total; what no bucket holds is text.
    OutputTokens {
        /// Thought, not said.
        reasoning,
        /// Audio.
        audio,
        /// Images.
        image,
    }
}

impl InputTokens {
    /// All buckets together.
    pub fn sum(&self) -> u64 {
        [self.cache_read, self.cache_writes(), self.audio, self.image]
            .into_iter()
            .fold(0, u64::saturating_add)
    }

    /// All that was written to the prompt cache, of whatever lifetime.
    pub fn cache_writes(&self) -> u64 {
        self.cache_write.saturating_add(self.cache_write_5m).saturating_add(self.cache_write_1h)
    }
}

impl OutputTokens {
    /// All buckets together.
    pub fn sum(&self) -> u64 {
        self.reasoning.saturating_add(self.audio).saturating_add(self.image)
    }
}

impl Usage {
    /// Usage of these totals, without details.
    pub const fn new(input: u64, output: u64) -> Self {
        Self {
            input: Some(input),
            output: Some(output),
            input_details: InputTokens {
                cache_read: 0,
                cache_write: 0,
                cache_write_5m: 0,
                cache_write_1h: 0,
                audio: 0,
                image: 0,
            },
            output_details: OutputTokens { reasoning: 0, audio: 0, image: 0 },
        }
    }

    /// Whether nothing was reported.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Uncached input text: the total less its buckets, at least zero.
    pub fn input_text(&self) -> u64 {
        self.input.unwrap_or(0).saturating_sub(self.input_details.sum())
    }

    /// Output text: the total less its buckets, at least zero.
    pub fn output_text(&self) -> u64 {
        self.output.unwrap_or(0).saturating_sub(self.output_details.sum())
    }

    /// Input and output together, or `None` if neither was reported.
    pub fn total(&self) -> Option<u64> {
        match (self.input, self.output) {
            (None, None) => None,
            (input, output) => Some(input.unwrap_or(0).saturating_add(output.unwrap_or(0))),
        }
    }
}

impl AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        let add = |a: Option<u64>, b: Option<u64>| match (a, b) {
            (None, None) => None,
            (a, b) => Some(a.unwrap_or(0).saturating_add(b.unwrap_or(0))),
        };
        self.input = add(self.input, other.input);
        self.output = add(self.output, other.output);
        self.input_details += other.input_details;
        self.output_details += other.output_details;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    prop_compose! {
        fn usage()(text in 0u64..1 << 40, buckets in proptest::array::uniform9(0u64..1 << 40), out in 0u64..1 << 40) -> Usage {
            let [cache_read, cache_write, cache_write_5m, cache_write_1h, audio, image, reasoning, o_audio, o_image] = buckets;
            let input_details = InputTokens { cache_read, cache_write, cache_write_5m, cache_write_1h, audio, image };
            let output_details = OutputTokens { reasoning, audio: o_audio, image: o_image };
            Usage { input: Some(text + input_details.sum()), output: Some(out + output_details.sum()), input_details, output_details }
        }
    }

    proptest! {
        #[test]
        fn text_is_the_total_less_its_buckets(usage in usage()) {
            prop_assert_eq!(usage.input_text() + usage.input_details.sum(), usage.input.unwrap());
            prop_assert_eq!(usage.output_text() + usage.output_details.sum(), usage.output.unwrap());
            prop_assert_eq!(usage.total(), Some(usage.input.unwrap() + usage.output.unwrap()));
        }

        #[test]
        fn addition_adds_every_bucket_and_commutes(a in usage(), b in usage()) {
            let (mut ab, mut ba) = (a, b);
            ab += b;
            ba += a;
            prop_assert_eq!(ab, ba);
            prop_assert_eq!(ab.input_text(), a.input_text() + b.input_text());
            prop_assert_eq!(ab.output_details.sum(), a.output_details.sum() + b.output_details.sum());
            let json = serde_json::to_string(&ab).unwrap();
            prop_assert_eq!(serde_json::from_str::<Usage>(&json).unwrap(), ab);
        }
    }

    #[test]
    fn an_unreported_total_stays_unreported_and_text_is_never_negative() {
        let mut usage = Usage::default();
        usage += Usage::default();
        assert_eq!((usage.input, usage.total()), (None, None));
        usage.input_details.cache_read = 7;
        assert_eq!(usage.input_text(), 0);
        usage += Usage { output: Some(3), ..Usage::default() };
        assert_eq!((usage.input, usage.output, usage.total()), (None, Some(3), Some(3)));
    }
}
