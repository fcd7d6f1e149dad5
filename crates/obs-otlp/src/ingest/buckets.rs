//! Token counts as Langfuse has them: buckets that exclude each other, in one JSON object.

use obs_core::{Usage, Value};

use super::value::{parsed, whole};

/// What buckets come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Buckets {
    pub(super) usage: Usage,
    /// Whether the usage says all that they do.
    pub(super) is_whole: bool,
}

/// Reads them; `None` where they are no object of counts.
///
/// As Langfuse sums them: whatever has `input` in its name is input, and `output` likewise.
pub(super) fn read(value: &Value) -> Option<Buckets> {
    let Value::Map(map) = parsed(value)? else { return None };
    let mut usage = Usage::default();
    let (mut is_whole, mut total) = (true, None);
    for (name, value) in map.iter() {
        let count = whole(value)?;
        if name == "total" {
            total = Some(count);
            continue;
        }
        let (input, output) = (&mut usage.input_details, &mut usage.output_details);
        let detail = match name.as_str() {
            "input_cached_tokens" => Some(&mut input.cache_read),
            "input_cache_creation" => Some(&mut input.cache_write),
            "input_cache_creation_5m" => Some(&mut input.cache_write_5m),
            "input_cache_creation_1h" => Some(&mut input.cache_write_1h),
            "input_audio_tokens" => Some(&mut input.audio),
            "input_image_tokens" => Some(&mut input.image),
            "output_reasoning_tokens" => Some(&mut output.reasoning),
            "output_audio_tokens" => Some(&mut output.audio),
            "output_image_tokens" => Some(&mut output.image),
            name => {
                is_whole &= ["input", "output"].contains(&name);
                None
            }
        };
        if let Some(detail) = detail {
            *detail = count;
        }
        let side = match name.as_str() {
            name if name.contains("input") => &mut usage.input,
            name if name.contains("output") => &mut usage.output,
            _ => continue,
        };
        *side = Some(side.unwrap_or(0).saturating_add(count));
    }
    is_whole &= total.is_none() || total == usage.total();
    Some(Buckets { usage, is_whole })
}
