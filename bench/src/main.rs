//! The benchmarks, without an allocator that counts and so costs.

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match obs_bench::run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("obs-bench: {error}");
            ExitCode::FAILURE
        }
    }
}
