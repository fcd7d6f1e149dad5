use obs_instrument_macros::observe;

#[observe(llm_generaton)]
fn near() {}

#[observe(type = "database")]
fn far() {}

fn main() {
    near();
    far();
}
