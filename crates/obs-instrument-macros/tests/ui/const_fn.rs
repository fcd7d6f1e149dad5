use obs_instrument_macros::observe;

#[observe]
const fn seven() -> u8 {
    7
}

struct Engine;

#[observe]
impl Engine {
    #[observe]
    const fn eight(&self) -> u8 {
        8
    }
}

fn main() {
    seven();
    Engine.eight();
}
