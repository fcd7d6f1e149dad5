use obs_instrument_macros::observe;

const TENANT: &str = "acme";

#[observe(registry = TENANT)]
fn named() {}

#[observe(registry)]
fn bare() {}

#[observe(output = "none")]
fn output() {}

fn main() {
    named();
    bare();
    output();
    let _ = TENANT;
}
