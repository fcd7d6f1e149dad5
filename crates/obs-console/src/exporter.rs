//! Where everything is printed, and nowhere else.

use std::fmt;
use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use obs_core::{
    Batch, Descriptor, Error, ErrorKind, Exporter, Failure, Health, Mappers, Receipt, Records, Reply, Retry,
    SpanRecord, Trace, deliver,
};

use crate::open::{OpenTraces, Place};
use crate::render::{RenderOptions, render_trace};
use crate::{ConsoleConfig, Output, feedback, logs, metrics, scores, traces};

/// What the exporter is and takes; it follows from the table of mappers.
pub const DESCRIPTOR: Descriptor = Descriptor::of("console", &ConsoleExporter::MAPPERS).with_local();

/// What a mapper asks to be printed.
#[derive(Debug)]
pub(crate) enum Request {
    /// Spans, each in the tree of its trace.
    Spans(Records<SpanRecord>),
    /// Lines, each ending in a newline.
    Lines(String),
}

/// Prints every signal for people: a tree for each trace whose root ended, a line for everything else.
///
/// Spans count as delivered once they are taken over; `flush` prints what still waits for its root.
#[derive(Debug)]
pub struct ConsoleExporter {
    descriptor: Descriptor,
    pub(crate) options: RenderOptions,
    max_open_spans: usize,
    /// None once it was shut down.
    state: Mutex<Option<State>>,
}

struct State {
    out: Box<dyn Write + Send>,
    open: OpenTraces,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").field("open", &self.open).finish_non_exhaustive()
    }
}

impl ConsoleExporter {
    pub(crate) const MAPPERS: Mappers<Self, Request> = Mappers::NONE
        .traces(traces::map)
        .metrics(metrics::map)
        .logs(logs::map)
        .scores(scores::map)
        .feedback(feedback::map);

    /// Prints to the output that the configuration names.
    ///
    /// # Errors
    /// A configuration error that names the option whose value cannot be.
    #[expect(clippy::needless_pass_by_value, reason = "every exporter takes its configuration over")]
    pub fn new(config: ConsoleConfig) -> Result<Self, Error> {
        let options = RenderOptions::detect(config.color, config.output);
        let out: Box<dyn Write + Send> = match config.output {
            Output::Stderr => Box::new(io::stderr()),
            Output::Stdout => Box::new(io::stdout()),
        };
        Self::printing(&config, options, out)
    }

    /// Prints to any writer, which counts as no terminal.
    ///
    /// # Errors
    /// As [`ConsoleExporter::new`].
    #[expect(clippy::needless_pass_by_value, reason = "every exporter takes its configuration over")]
    pub fn with_writer(config: ConsoleConfig, writer: impl Write + Send + 'static) -> Result<Self, Error> {
        let color = config.color.is_on(false, |_| None);
        Self::printing(&config, RenderOptions::default().with_color(color), Box::new(writer))
    }

    fn printing(
        config: &ConsoleConfig,
        options: RenderOptions,
        out: Box<dyn Write + Send>,
    ) -> Result<Self, Error> {
        config.validate()?;
        let width = config.width.or(options.width);
        Ok(Self {
            descriptor: DESCRIPTOR,
            options: options.with_width(width).with_payloads(config.payloads).with_ids(config.ids),
            max_open_spans: config.max_open_spans,
            state: Mutex::new(Some(State { out, open: OpenTraces::default() })),
        })
    }

    fn state(&self) -> MutexGuard<'_, Option<State>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Prints one request; of spans, the trees that are due.
    fn send(&self, request: Request) -> Result<Reply, Failure> {
        let mut state = self.state();
        let Some(state) = state.as_mut() else {
            return Err(failure(ErrorKind::Closed, Retry::Never, "the console was shut down meanwhile"));
        };
        let printed = match request {
            Request::Lines(lines) => state.print(&lines),
            Request::Spans(spans) => state.take(&spans, self.max_open_spans, &self.options),
        };
        printed.map_err(|error| failure(ErrorKind::Io, Retry::Backoff, &cannot_print(&error)))?;
        Ok(Reply::default())
    }
}

impl State {
    fn print(&mut self, text: &str) -> io::Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }

    /// Takes spans over and prints the trees that are due; where that fails, the spans are given back.
    fn take(&mut self, spans: &Records<SpanRecord>, max: usize, options: &RenderOptions) -> io::Result<()> {
        let places: Vec<Place> = spans.iter().map(|record| self.open.add(record)).collect();
        let printed = self.print_trees(|open| open.due(max), options);
        if printed.is_err() {
            self.open.take_back(&places);
        }
        printed
    }

    fn print_trees(
        &mut self,
        which: impl FnOnce(&OpenTraces) -> Vec<(Place, &Trace)>,
        options: &RenderOptions,
    ) -> io::Result<()> {
        let traces = which(&self.open);
        let trees: String = traces.iter().map(|(_, trace)| render_trace(trace, options) + "\n").collect();
        let printed: Vec<Place> = traces.into_iter().map(|(place, _)| place).collect();
        self.print(&trees)?;
        self.open.forget(&printed);
        Ok(())
    }

    fn flush(&mut self, options: &RenderOptions) -> Result<(), Error> {
        let printed = self.print_trees(OpenTraces::all, options).and_then(|()| self.out.flush());
        printed.map_err(|error| Error::without_records(ErrorKind::Io, cannot_print(&error)))
    }
}

fn cannot_print(error: &io::Error) -> String {
    format!("console: {error}; is the reader of the output still there?")
}

fn failure(kind: ErrorKind, retry: Retry, message: &str) -> Failure {
    Failure { kind, retry, status: None, message: message.into() }
}

#[async_trait]
impl Exporter for ConsoleExporter {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    async fn export(&self, batch: &Batch) -> Result<Receipt, Error> {
        if self.state().is_none() {
            return Err(Error::closed(self.descriptor.kind(), batch));
        }
        let Some(mapped) = Self::MAPPERS.map(self, batch) else {
            return Err(Error::unsupported(self.descriptor.kind(), batch));
        };
        deliver(batch, mapped, |request| async move { self.send(request) }).await
    }

    async fn check(&self) -> Health {
        match self.state().as_mut().map(|state| state.out.flush()) {
            Some(Ok(())) => Health::Healthy,
            Some(Err(error)) => Health::Unhealthy(cannot_print(&error).into()),
            None => Health::Unhealthy("shut down; make a new exporter".into()),
        }
    }

    async fn flush(&self) -> Result<(), Error> {
        self.state().as_mut().map_or(Ok(()), |state| state.flush(&self.options))
    }

    async fn shutdown(&self) -> Result<(), Error> {
        self.state().take().map_or(Ok(()), |mut state| state.flush(&self.options))
    }
}
