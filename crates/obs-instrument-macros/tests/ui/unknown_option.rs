use obs_instrument_macros::observe;

#[observe(tool_call, nme = "search")]
fn near() {}

#[observe(level = "info")]
fn far() {}

#[observe(name)]
fn bare() {}

fn main() {
    near();
    far();
    bare();
}
