use obs_instrument_macros::observe;

#[observe(skip(quesion), rename(answer = "a"))]
fn ask(question: &str) -> usize {
    question.len()
}

struct Engine;

#[observe(skip(key))]
impl Engine {
    fn run(&self, input: &str) -> usize {
        input.len()
    }
}

fn main() {
    ask("why");
    Engine.run("why");
}
