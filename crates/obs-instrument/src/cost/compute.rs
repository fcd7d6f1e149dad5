//! What a call cost, by its tokens and the prices.

use obs_core::{Cost, Usage};

use super::entry::{ModelPrices, Rates};

/// The amount, and what it lacks.
#[derive(Debug, PartialEq)]
pub(super) struct Computed {
    pub(super) cost: Cost,
    /// What had no price or no count of its own: names of prices, `input_tokens`, `output_tokens`, `tier`.
    pub(super) missing: Vec<&'static str>,
}

/// Tokens of one kind, what they are called in the table, and their price.
type Item = (u64, &'static str, Price);

/// A price per million tokens.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Price {
    /// Its own, or one that by its meaning is the same.
    Own(f64),
    /// The nearest other one.
    Nearest(f64),
    Unknown,
}

impl Price {
    /// Its own price, else the first of the nearest.
    fn of(own: Option<f64>, nearest: &[Option<f64>]) -> Self {
        let nearest = || nearest.iter().copied().flatten().next();
        own.map(Self::Own).or_else(|| nearest().map(Self::Nearest)).unwrap_or(Self::Unknown)
    }
}

/// Every token of the input once: what no bucket holds is text.
fn input(usage: &Usage, rates: &Rates) -> [Item; 7] {
    let Rates { input, cache_read, cache_write, cache_write_5m, cache_write_1h, .. } = rates;
    let (plain, buckets) = (Some(*input), &usage.input_details);
    [
        (usage.input_text(), "input", Price::Own(*input)),
        (buckets.cache_read, "cache_read", Price::of(*cache_read, &[plain])),
        // The default lifetime is five minutes where a vendor has two.
        (buckets.cache_write, "cache_write", Price::of(cache_write.or(*cache_write_5m), &[plain])),
        (buckets.cache_write_5m, "cache_write_5m", Price::of(cache_write_5m.or(*cache_write), &[plain])),
        (
            buckets.cache_write_1h,
            "cache_write_1h",
            Price::of(*cache_write_1h, &[*cache_write_5m, *cache_write, plain]),
        ),
        (buckets.audio, "audio_input", Price::of(rates.audio_input, &[plain])),
        (buckets.image, "image_input", Price::of(rates.image_input, &[plain])),
    ]
}

/// Every token of the output once; reasoning costs what output costs unless the table says otherwise.
fn output(usage: &Usage, rates: &Rates) -> [Item; 4] {
    let (plain, buckets) = (rates.output, &usage.output_details);
    [
        (usage.output_text(), "output", Price::of(plain, &[])),
        (buckets.reasoning, "reasoning", Price::of(rates.reasoning.or(plain), &[])),
        (buckets.audio, "audio_output", Price::of(rates.audio_output, &[plain])),
        (buckets.image, "image_output", Price::of(rates.image_output, &[plain])),
    ]
}

fn sum(items: &[Item], missing: &mut Vec<&'static str>) -> f64 {
    let mut sum = 0.0;
    for (tokens, name, price) in items.iter().filter(|(tokens, ..)| *tokens > 0) {
        let price = match *price {
            Price::Own(price) => price,
            Price::Nearest(price) => {
                missing.push(name);
                price
            }
            Price::Unknown => {
                missing.push(name);
                0.0
            }
        };
        sum += *tokens as f64 * price;
    }
    sum / 1e6
}

/// What a call cost; `None` if it did not say how many tokens it used.
pub(super) fn cost(prices: &ModelPrices, usage: &Usage) -> Option<Computed> {
    if usage.is_empty() {
        return None;
    }
    let told = usage.input.unwrap_or(0).max(usage.input_details.sum());
    let rates = prices.rates(told);
    let mut missing = Vec::new();
    let paid_in = sum(&input(usage, rates), &mut missing);
    let paid_out = sum(&output(usage, rates), &mut missing);
    // A total below its parts leaves some of them out, so the text between them is not known.
    if usage.input.is_none_or(|total| total < usage.input_details.sum()) {
        missing.push("input_tokens");
    }
    let said = usage.output_details.sum();
    if usage.output.map_or(rates.output.is_some(), |total| total < said) {
        missing.push("output_tokens");
    }
    if prices.known_up_to_input_tokens.is_some_and(|most| told > most) {
        missing.push("tier");
    }
    let has_output = usage.output.is_some() || !usage.output_details.is_zero();
    let cost = Cost {
        total: paid_in + paid_out,
        input: Some(paid_in),
        output: has_output.then_some(paid_out),
        currency: prices.currency.clone(),
        partial: !missing.is_empty(),
        estimated: true,
    };
    Some(Computed { cost, missing })
}

#[cfg(test)]
mod tests {
    use obs_core::{InputTokens, OutputTokens};
    use proptest::prelude::*;

    use super::super::entry::Tier;
    use super::*;

    fn model(prices: Rates) -> ModelPrices {
        ModelPrices::new("p", "m", prices)
    }

    fn full() -> Rates {
        Rates {
            cache_read: Some(0.1),
            cache_write_5m: Some(1.25),
            cache_write_1h: Some(2.0),
            audio_input: Some(8.0),
            audio_output: Some(16.0),
            image_input: Some(3.0),
            image_output: Some(6.0),
            ..Rates::new(1.0, 4.0)
        }
    }

    #[track_caller]
    fn costs(prices: &Rates, usage: Usage, micro: f64, missing: &[&str]) {
        let computed = cost(&model(prices.clone()), &usage).unwrap();
        assert!((computed.cost.total * 1e6 - micro).abs() < 1e-9, "{computed:?}");
        assert_eq!((&*computed.missing, computed.cost.partial), (missing, !missing.is_empty()));
        let parts = computed.cost.input.unwrap_or(0.0) + computed.cost.output.unwrap_or(0.0);
        assert_eq!(parts, computed.cost.total);
    }

    #[test]
    fn every_bucket_has_its_price_and_text_is_the_rest() {
        let usage = Usage {
            input_details: InputTokens {
                cache_read: 100,
                cache_write: 10,
                cache_write_5m: 10,
                cache_write_1h: 10,
                audio: 10,
                image: 10,
            },
            output_details: OutputTokens { reasoning: 30, audio: 10, image: 10 },
            ..Usage::new(250, 100)
        };
        let (text, cached, written) = (100.0, 10.0, 12.5 + 12.5 + 20.0);
        let (media_in, said, media_out) = (80.0 + 30.0, (50.0 + 30.0) * 4.0, 160.0 + 60.0);
        costs(&full(), usage, text + cached + written + media_in + said + media_out, &[]);
    }

    #[test]
    fn cached_and_reasoning_tokens_of_a_small_call_cost_what_the_invoice_says() {
        let rates = Rates { cache_read: Some(0.075), ..Rates::new(0.15, 0.6) };
        let usage = Usage {
            input_details: InputTokens { cache_read: 1024, ..InputTokens::default() },
            output_details: OutputTokens { reasoning: 20, ..OutputTokens::default() },
            ..Usage::new(1200, 80)
        };
        costs(&rates, usage, 176.0 * 0.15 + 1024.0 * 0.075 + 80.0 * 0.6, &[]);
    }

    #[test]
    fn what_has_no_price_counts_at_the_nearest_and_is_named() {
        let plain = Rates::new(1.0, 4.0);
        let one = |set: fn(&mut Usage)| {
            let mut usage = Usage::new(10, 10);
            set(&mut usage);
            usage
        };
        costs(&plain, one(|u| u.input_details.cache_read = 5), 50.0, &["cache_read"]);
        costs(&plain, one(|u| u.input_details.cache_write_1h = 5), 50.0, &["cache_write_1h"]);
        costs(&plain, one(|u| u.input_details.audio = 5), 50.0, &["audio_input"]);
        costs(&plain, one(|u| u.output_details.image = 5), 50.0, &["image_output"]);
        costs(&plain, one(|u| u.output_details.reasoning = 5), 50.0, &[]);
        let five = Rates { cache_write_5m: Some(2.0), ..plain };
        costs(&five, one(|u| u.input_details.cache_write = 5), 5.0 + 10.0 + 40.0, &[]);
        costs(&five, one(|u| u.input_details.cache_write_1h = 5), 5.0 + 10.0 + 40.0, &["cache_write_1h"]);
        costs(&Rates { input: 1.0, ..Rates::default() }, Usage::new(10, 5), 10.0, &["output"]);
    }

    #[test]
    fn counts_that_were_not_told_are_named_and_none_at_all_is_no_cost() {
        let embedding = Rates { input: 1.0, ..Rates::default() };
        let told = |input, output| Usage { input, output, ..Usage::default() };
        costs(&embedding, told(Some(10), None), 10.0, &[]);
        costs(&full(), told(Some(10), None), 10.0, &["output_tokens"]);
        costs(&full(), told(None, Some(10)), 40.0, &["input_tokens"]);
        assert_eq!(cost(&model(full()), &Usage::default()), None, "streaming without usage is no zero");
        let mut beside = Usage::new(10, 0);
        beside.input_details.cache_read = 100;
        costs(&full(), beside, 10.0, &["input_tokens"]);
        let mut beside = Usage::new(0, 10);
        beside.output_details.reasoning = 20;
        costs(&full(), beside, 80.0, &["output_tokens"]);
    }

    #[test]
    fn a_tier_holds_for_every_token_of_a_larger_call() {
        let mut prices = model(Rates::new(1.0, 4.0));
        for (above_input_tokens, factor) in [(100, 2.0), (1_000, 3.0)] {
            prices.tiers.push(Tier { above_input_tokens, prices: Rates::new(factor, 4.0 * factor) });
        }
        prices.known_up_to_input_tokens = Some(5_000);
        let micro = |input| {
            let computed = cost(&prices, &Usage::new(input, 1)).unwrap();
            ((computed.cost.total * 1e6).round(), computed.cost.partial)
        };
        assert_eq!(micro(100), (104.0, false));
        assert_eq!(micro(101), (210.0, false));
        assert_eq!(micro(1_001), (3_015.0, false));
        assert_eq!(micro(5_001), (15_015.0, true));
    }

    proptest! {
        #[test]
        fn no_token_is_free_or_counted_twice(buckets in proptest::array::uniform9(0u64..1 << 30), text in 0u64..1 << 30, said in 0u64..1 << 30) {
            let [cache_read, cache_write, cache_write_5m, cache_write_1h, audio, image, reasoning, o_audio, o_image] = buckets;
            let input_details = InputTokens { cache_read, cache_write, cache_write_5m, cache_write_1h, audio, image };
            let output_details = OutputTokens { reasoning, audio: o_audio, image: o_image };
            let usage = Usage { input_details, output_details, ..Usage::new(text + input_details.sum(), said + output_details.sum()) };
            let flat = model(Rates::new(1.0, 1.0));
            let total = cost(&flat, &usage).map_or(0.0, |computed| computed.cost.total);
            let tokens = usage.total().unwrap_or(0) as f64 / 1e6;
            prop_assert!((total - tokens).abs() <= tokens * 1e-12, "{total} {tokens}");
        }
    }
}
