use obs_instrument_macros::observe;

#[observe(name = "a", name = "b")]
fn named() {}

#[observe(tool_call, type = "agent_run")]
fn typed() {}

#[observe(skip_all, input = true)]
fn captured() {}

fn main() {
    named();
    typed();
    captured();
}
