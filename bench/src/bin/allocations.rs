//! Counts what the cases allocate; a program of its own, since the allocator that counts would slow the others down.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    obs_bench::count(|burst| {
        let seen = allocation_counter::measure(burst);
        (seen.count_total, seen.bytes_total)
    })
}
