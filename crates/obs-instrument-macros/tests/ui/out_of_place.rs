use obs_instrument_macros::observe;

#[observe(skip)]
fn skipped() {}

#[observe(prefix = "engine")]
fn prefixed() {}

#[observe(span = call)]
fn future() -> impl Future<Output = ()> {
    let ready = async {};
    ready
}

struct Engine;

#[observe(name = "engine", span = call)]
impl Engine {
    #[observe(prefix = "motor")]
    fn run(&self) {}
}

fn main() {
    skipped();
    prefixed();
    drop(future());
    Engine.run();
}
