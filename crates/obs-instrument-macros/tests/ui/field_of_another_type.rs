use obs_instrument_macros::observe;

#[observe(tool_call, model = "gpt-4o")]
fn call() {}

fn main() {
    call();
}
