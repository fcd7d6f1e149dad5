//! The collector's thread: from the shards through the processors to the lanes.

mod control;
mod process;
mod recycle;
mod sealed;

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use obs_core::{Batch, Error, ErrorKind, Feedback, Health, Metric, Score, Signals, SpanRecord};

use crate::destination::Destination;
use crate::destination::notice::Notices;
use crate::guard::{self, guarded};
use crate::intake::{Buffer, Buffers, Chunks};
use crate::redact::Finish;
use crate::self_metrics::SelfMetrics;
use crate::suppress::suppress_this_thread;
use crate::terms::dropped;
use crate::{Intake, Log, Processor, Segment, Tick};

pub(crate) use control::Control;
pub(crate) use sealed::{Sealed, without_starts};

use control::Request;
use process::{Processors, Work};
use recycle::Recycle;
use sealed::Seal;

/// How long records gather before they are taken.
const BEAT: Duration = Duration::from_millis(5);
/// After so many passes that found nothing the collector sleeps. While there is any traffic it looks by itself: to wake it
/// costs the thread that records a system call, a hundred times the price of a record.
const LINGER: u32 = 8;
/// How often memory, and what processors hold, is looked after while nothing is recorded.
const SLOW_BEAT: Duration = Duration::from_millis(50);
/// After so many slow beats, memory that is still in use is given up.
const SLOW_BEATS: u32 = 40;
/// The longest sleep: the anchor of the clock is set anew after it.
const SLEEP: Duration = Duration::from_secs(10);

/// Everything the collector's thread owns.
#[derive(Debug)]
pub(crate) struct Collector {
    intake: Intake,
    control: Arc<Control>,
    lanes: Lanes,
    processors: Processors,
    finish: Finish,
    spans: Hand<SpanRecord>,
    metrics: Hand<Metric>,
    logs: Hand<obs_core::Log>,
    scores: Hand<Score>,
    feedback: Hand<Feedback>,
    anchored: Duration,
    /// Passes since the last one that found records.
    quiet: u32,
}

/// Where sealed segments go.
#[derive(Debug)]
pub(crate) struct Lanes {
    pub(crate) destinations: Arc<[Arc<Destination>]>,
    pub(crate) log: Option<Arc<dyn Log>>,
    /// The signals of which some lane keeps its records on disk.
    pub(crate) durable: Signals,
    pub(crate) self_metrics: Option<SelfMetrics>,
    /// How the log was when it was last looked at, and when that was.
    pub(crate) disk: DiskWatch,
}

/// Tells of changes of the queue on disk, whatever the destinations do.
#[derive(Debug)]
pub(crate) struct DiskWatch {
    last: Health,
    next: Duration,
    notices: Notices,
}

impl Default for DiskWatch {
    fn default() -> Self {
        Self { last: Health::Healthy, next: Duration::ZERO, notices: Notices::default() }
    }
}

impl Lanes {
    /// Looks at the log now and then, and says what is wrong with it when that changes.
    fn watch_disk(&mut self, now: Duration) {
        let Some(log) = self.log.as_ref().filter(|_| now >= self.disk.next) else { return };
        self.disk.next = now.saturating_add(Duration::from_secs(1));
        let health = log.health();
        match &health {
            _ if health == self.disk.last => {}
            Health::Healthy => tracing::info!(target: "obs::queue", "the queue on disk works again"),
            Health::Degraded(why) | Health::Unhealthy(why) => {
                self.disk.notices.say("queue on disk", why, now);
            }
        }
        self.disk.last = health;
    }

    /// Hands a segment to the log on disk, if a lane keeps its records there.
    fn keep(&self, batch: &Batch) -> Option<u64> {
        let log = self.log.as_ref().filter(|_| self.durable.contains(batch.signal()));
        log.map(|log| log.append(batch))
    }
}

/// What the collector holds of one signal.
#[derive(Debug)]
struct Hand<T> {
    chunks: Chunks<T>,
    recycle: Recycle<T>,
}

impl<T> Default for Hand<T> {
    fn default() -> Self {
        Self { chunks: Chunks::default(), recycle: Recycle::default() }
    }
}

impl<T> Hand<T> {
    fn take(&mut self, buffer: &mut Buffer<T>) {
        buffer.take(&mut self.chunks, &mut self.recycle.spares);
    }
}

macro_rules! each_hand {
    ($collector:expr, $hand:ident => $body:expr) => {{
        {
            let $hand = &mut $collector.spans;
            $body
        }
        {
            let $hand = &mut $collector.metrics;
            $body
        }
        {
            let $hand = &mut $collector.logs;
            $body
        }
        {
            let $hand = &mut $collector.scores;
            $body
        }
        {
            let $hand = &mut $collector.feedback;
            $body
        }
    }};
}

impl Collector {
    pub(crate) fn new(
        intake: Intake,
        control: Arc<Control>,
        lanes: Lanes,
        processors: Vec<Box<dyn Processor>>,
        finish: Finish,
    ) -> Self {
        Self {
            intake,
            control,
            lanes,
            processors: Processors::new(processors),
            finish,
            spans: Hand::default(),
            metrics: Hand::default(),
            logs: Hand::default(),
            scores: Hand::default(),
            feedback: Hand::default(),
            anchored: Duration::ZERO,
            quiet: 0,
        }
    }

    /// Starts the thread.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] where the system refuses it.
    pub(crate) fn spawn(self) -> Result<(), Error> {
        let started = thread::Builder::new().name("obs-collector".into()).spawn(move || self.run());
        started.map(drop).map_err(|error| {
            Error::without_records(
                ErrorKind::Io,
                format!("the system refused a thread for the collector: {error}"),
            )
        })
    }

    fn run(mut self) {
        suppress_this_thread();
        guard::tell_by(self.finish.rules());
        self.intake.bell().answer();
        loop {
            if !self.control.is_asked() {
                self.rest();
            }
            let request = self.control.request();
            if let Err(panic) = guarded(|| self.pass(request)) {
                self.lose(&panic);
            }
            self.control.answer(request, self.processors.is_holding());
            if request.close {
                return;
            }
        }
    }

    /// Waits for the next pass: a beat while there is traffic and a while after it, else until the first record and a beat for those that
    /// follow it.
    fn rest(&mut self) {
        if self.quiet < LINGER {
            self.intake.bell().doze(BEAT);
            return;
        }
        let watching = self.is_watching();
        if watching && self.quiet > LINGER + SLOW_BEATS {
            each_hand!(self, hand => hand.recycle.forget());
        }
        self.finish.forget();
        let (intake, control) = (&self.intake, &self.control);
        let at_most = if watching || self.processors.is_holding() {
            SLOW_BEAT
        } else {
            SLEEP.min(self.lanes.until_self_metrics(&self.intake))
        };
        intake.bell().sleep(at_most, || intake.books().is_idle() && !control.is_asked());
        self.anchor();
        if !self.intake.books().is_idle() && !self.control.is_asked() {
            self.intake.bell().doze(BEAT);
        }
    }

    /// Takes everything the shards hold and offers it to the lanes.
    fn pass(&mut self, request: Request) {
        let mut books = self.intake.books();
        let credit = books.swap(request.close);
        for buffers in books.swapped() {
            let Buffers { spans, metrics, logs, scores, feedback, .. } = buffers;
            self.spans.take(spans);
            self.metrics.take(metrics);
            self.logs.take(logs);
            self.scores.take(scores);
            self.feedback.take(feedback);
        }
        books.forget_orphans();
        drop(books);
        self.intake.bytes().release(credit);
        let mut taken = 0;
        each_hand!(self, hand => {
            for chunk in std::mem::take(&mut hand.chunks).drain() {
                taken += chunk.records.len();
                self.process(Segment::from(chunk.records));
                self.intake.bytes().release(chunk.bytes);
            }
        });
        self.tick(request);
        each_hand!(self, hand => hand.recycle.sweep());
        self.lanes.tell_self_metrics(&self.intake, request.close);
        self.lanes.watch_disk(self.intake.clock().monotonic());
        self.quiet = if taken == 0 { self.quiet.saturating_add(1) } else { 0 };
        self.anchor();
    }
}

impl Collector {
    /// After a panic: what was in hand is lost and counted, and the next pass begins with empty hands.
    fn lose(&mut self, panic: &str) {
        each_hand!(self, hand => {
            for chunk in std::mem::take(&mut hand.chunks).drain() {
                self.intake.bytes().release(chunk.bytes);
            }
        });
        self.intake.books().drop_all_pending(dropped::PANIC);
        self.processors.forget();
        // A subscriber may have been what panicked.
        let _ = guarded(
            || tracing::error!(target: "obs::collector", "a pass of the collector panicked: {panic}"),
        );
    }

    /// Tells the processors of the time, one after the other: what one lets go of may be held by those behind it.
    fn tick(&mut self, request: Request) {
        let tick = Tick {
            now: self.intake.clock().monotonic(),
            flush: request.flush || request.close,
            last: request.close,
        };
        for at in 0..self.processors.len() {
            let mut work = Work::new();
            self.processors.tick(at, &tick, &self.intake, &mut work);
            self.work_off(work);
        }
    }

    /// Sees a segment, and whatever processors make of it, through to the lanes.
    fn process(&mut self, segment: Segment) {
        self.work_off(vec![(0, segment)]);
    }

    fn work_off(&mut self, mut work: Work) {
        while let Some((stage, segment)) = work.pop() {
            let Some(mut segment) = self.processors.run(stage, segment, &self.intake, &mut work) else {
                continue;
            };
            let finished = guarded(|| match &mut segment {
                Segment::Traces(records) => self.finish.finish(records),
                Segment::Metrics(records) => self.finish.finish(records),
                Segment::Logs(records) => self.finish.finish(records),
                Segment::Scores(records) => self.finish.finish(records),
                Segment::Feedback(records) => self.finish.finish(records),
            });
            if finished.is_err() {
                process::lose(&self.intake, &segment);
                continue;
            }
            match segment {
                Segment::Traces(records) => seal(&mut self.spans, records, &self.intake, &self.lanes),
                Segment::Metrics(records) => {
                    seal(&mut self.metrics, records, &self.intake, &self.lanes);
                }
                Segment::Logs(records) => seal(&mut self.logs, records, &self.intake, &self.lanes),
                Segment::Scores(records) => seal(&mut self.scores, records, &self.intake, &self.lanes),
                Segment::Feedback(records) => {
                    seal(&mut self.feedback, records, &self.intake, &self.lanes);
                }
            }
        }
    }

    fn is_watching(&self) -> bool {
        self.spans.recycle.is_watching()
            || self.metrics.recycle.is_watching()
            || self.logs.recycle.is_watching()
            || self.scores.recycle.is_watching()
            || self.feedback.recycle.is_watching()
    }

    /// Sets the clock's anchor anew, at most once a second.
    fn anchor(&mut self) {
        let now = self.intake.clock().monotonic();
        if now.saturating_sub(self.anchored) >= Duration::from_secs(1) {
            self.anchored = now;
            self.intake.clock().anchor();
        }
    }
}

/// Seals a segment and offers it to every destination, at one moment for whoever reads the books.
fn seal<T: Seal>(hand: &mut Hand<T>, records: Vec<T>, intake: &Intake, lanes: &Lanes) {
    if records.is_empty() {
        return;
    }
    let segment = Arc::new(records);
    let mut sealed = T::seal(&segment);
    let now = intake.clock().monotonic();
    // Routes are the user's code: they are asked before anybody is made to wait.
    let meant: Vec<_> =
        lanes.destinations.iter().map(|destination| destination.route(&sealed, now)).collect();
    let mut books = intake.books();
    sealed.position = lanes.keep(&sealed.batch);
    books.seal_pending(sealed.batch.signal(), segment.len() as u64);
    for (destination, meant) in lanes.destinations.iter().zip(&meant) {
        destination.offer(&sealed, meant, now);
    }
    drop(books);
    hand.recycle.watch(segment);
}
