use obs_instrument_macros::observe;

#[observe]
struct Engine;

#[observe]
enum Mode {
    Fast,
}

#[observe]
trait Runs {
    fn run(&self);
}

trait Walks {
    #[observe]
    fn walk(&self);
}

fn main() {
    let _ = (Engine, Mode::Fast);
}
