//! Measures how many events of 1 KiB a queue takes and gives in a second, in each mode.
//!
//! `cargo run --release -p obs-queue --example queue-throughput [FOLDER]`: the disk under the folder is what counts.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use obs_core::{Batch, Level, Limits, Log as Record, Signal};
use obs_pipeline::{Clock, Log as _, Offer, Queue};
use obs_queue::{DiskQueue, Durability, QueueConfig};

const EVENTS: usize = 200_000;
/// What a collector seals in 5 ms at 20,000 events a second.
const SEGMENT: usize = 100;
const LIMITS: Limits = Limits { items: 512, bytes: 8 << 20 };
const PATIENCE: Duration = Duration::from_mins(1);

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome<()> {
    let folder = std::env::args().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    let clock = Clock::system();
    println!("{EVENTS} logs of about 1 KiB, segments of {SEGMENT}, batches of {}", LIMITS.items);
    for mode in [Durability::Batch, Durability::Always, Durability::Os] {
        for compress in [false, true] {
            let place = tempfile::tempdir_in(&folder)?;
            let config = QueueConfig::new(place.path()).with_mode(mode).with_compress_buffer(compress);
            let label = if compress { format!("{mode:?}, zstd") } else { format!("{mode:?}") };
            measure(&label, &config.with_compression_threshold(1), &clock)?;
        }
    }
    Ok(())
}

fn measure(label: &str, config: &QueueConfig, clock: &Clock) -> Outcome<()> {
    let config = config.clone().with_max_size(4_000_000_000);
    let log = DiskQueue::open(config.clone())?;
    let mut lane = Lane::new(&log, clock);
    let begin = clock.monotonic();
    for at in 0..EVENTS / SEGMENT {
        lane.take(&log, segment(at, clock));
        while lane.queue.at_risk() > 20_000 {
            log.sync(PATIENCE);
        }
    }
    assert!(log.sync(PATIENCE));
    let written = clock.monotonic().saturating_sub(begin);
    drop(lane);
    assert!(log.close(PATIENCE));
    let size = bytes(&config.directory)?;

    let log = DiskQueue::open(config.clone())?;
    let mut lane = Lane::new(&log, clock);
    let begin = clock.monotonic();
    let mut delivered = 0;
    while lane.queue.items() > 0 {
        delivered += lane.deliver();
    }
    let read = clock.monotonic().saturating_sub(begin);
    assert_eq!(delivered, EVENTS);

    let begin = clock.monotonic();
    let mut delivered = 0;
    for at in 0..EVENTS / SEGMENT {
        lane.take(&log, segment(at, clock));
        if lane.queue.items() >= LIMITS.items {
            assert!(log.sync(PATIENCE));
            delivered += lane.deliver();
        }
    }
    while lane.queue.items() > 0 {
        delivered += lane.deliver();
    }
    let both = clock.monotonic().saturating_sub(begin);
    assert_eq!(delivered, EVENTS);
    assert!(log.close(PATIENCE));
    let rate = |time: Duration| (EVENTS as f64 / time.as_secs_f64()) as u64;
    println!(
        "{label:13} in {:>7}/s  out of disk {:>7}/s  in, sync, out, one batch after the other {:>7}/s  {:>4} B an event on disk",
        rate(written),
        rate(read),
        rate(both),
        size / EVENTS as u64
    );
    Ok(())
}

fn segment(at: usize, clock: &Clock) -> Batch {
    let text = |n: usize| {
        let words = ["retrieval", "answer", "tokens", "latency", "cache", "vector", "prompt", "agent"];
        let mut text = format!("event {at}-{n} ");
        let mut seed = (at * SEGMENT + n) as u32 ^ 0x9e37_79b9;
        while text.len() < 940 {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            text.push_str(words[(seed >> 24) as usize % words.len()]);
            text.push(' ');
            text.push_str(&seed.to_string());
        }
        text
    };
    Batch::Logs((0..SEGMENT).map(|n| Record::new(clock.now(), Level::Info, text(n))).collect())
}

fn bytes(folder: &Path) -> Outcome<u64> {
    let mut all = 0;
    for file in std::fs::read_dir(folder)? {
        all += file?.metadata()?.len();
    }
    Ok(all)
}

struct Lane {
    queue: Box<dyn Queue>,
    woken: Receiver<()>,
    clock: Clock,
}

impl Lane {
    fn new(log: &DiskQueue, clock: &Clock) -> Self {
        let (wake, woken) = channel();
        let wake = Arc::new(move || {
            wake.send(()).ok();
        });
        Self { queue: log.lane("sink", Signal::Logs, clock, wake), woken, clock: clock.clone() }
    }

    fn take(&mut self, log: &DiskQueue, batch: Batch) {
        let (position, bytes) = (log.append(&batch), batch.byte_size());
        let now = self.clock.monotonic();
        self.queue.offer(Offer { batch, position: Some(position), bytes, now });
    }

    /// Takes a batch out, and waits until disk knows.
    fn deliver(&mut self) -> usize {
        while let Some(load) = self.queue.load(LIMITS) {
            for row in load() {
                let batch = row.batch.expect("a row that was just written");
                let bytes = batch.byte_size();
                self.queue.loaded(row.position, batch, bytes);
            }
        }
        let Some(head) = self.queue.peek(LIMITS) else { return 0 };
        self.queue.commit(Batch::empty(Signal::Logs));
        while !self.queue.is_ready() {
            self.woken.recv_timeout(PATIENCE).expect("disk answers");
        }
        head.len()
    }
}
