//! Records into requests: by address, in order, within the limits.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use obs_core::{Error, Mapped, Records, Refused, Signal, Timestamp};

use crate::address::{Address, Field};
use crate::body::Bodies;
use crate::group::{Budget, Group};
use crate::record::{self, Entry};
use crate::template::{Renderer, Scope};
use crate::transformer::{PayloadTransformer, Per, TransformFunction};
use crate::wire::Request;
use crate::{Format, Shape, WebhookConfig};

/// A wall clock.
pub(crate) type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Where the records of a signal go.
#[derive(Debug, Clone)]
pub(crate) struct Route {
    /// Which of the exporter's destinations.
    pub(crate) at: usize,
    pub(crate) address: Address,
}

/// What makes something of records.
pub(crate) enum Maker {
    /// Nothing: they are sent as they are.
    Nothing,
    Template(Box<Renderer>),
    Function(Arc<TransformFunction>),
}

impl fmt::Debug for Maker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("Nothing"),
            Self::Template(renderer) => renderer.fmt(f),
            Self::Function(_) => f.write_str("Function"),
        }
    }
}

/// All that decides what a batch becomes.
pub(crate) struct Plan {
    routes: [Option<Route>; Signal::COUNT],
    pub(crate) bodies: Bodies,
    pub(crate) maker: Maker,
    /// The most records of a request.
    pub(crate) items: usize,
    /// The most bytes of a body before it is compressed.
    pub(crate) bytes: usize,
    /// Whether requests have the id of their records.
    pub(crate) ids: bool,
    pub(crate) clock: Clock,
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan")
            .field("routes", &self.routes)
            .field("bodies", &self.bodies)
            .field("maker", &self.maker)
            .finish_non_exhaustive()
    }
}

impl Plan {
    /// What a checked configuration asks for.
    ///
    /// # Errors
    /// A configuration error: a template that does not compile.
    pub(crate) fn new(
        config: &WebhookConfig,
        routes: [Option<Route>; Signal::COUNT],
        clock: Clock,
    ) -> Result<Self, Error> {
        let maker = match &config.payload_transformer {
            None => Maker::Nothing,
            Some(PayloadTransformer::Template(template)) => {
                Maker::Template(Box::new(Renderer::new(template, config.format != Format::Text)?))
            }
            Some(PayloadTransformer::Function(function)) => Maker::Function(Arc::clone(function)),
        };
        Ok(Self {
            routes,
            bodies: Bodies::of(config),
            maker,
            items: if config.shape == Shape::Record { 1 } else { config.max_items },
            bytes: usize::try_from(config.max_bytes.get()).unwrap_or(usize::MAX),
            ids: config.idempotency_header.is_some()
                || config.signing.as_ref().is_some_and(|signing| signing.id_header().is_some()),
            clock,
        })
    }

    pub(crate) fn format(&self) -> Format {
        self.bodies.format()
    }
}

/// The requests of a batch, and the records that no request can carry.
pub(crate) fn map<T: Entry>(plan: &Plan, records: &Records<T>) -> Mapped<Request> {
    let mut mapped = Mapped::default();
    let Some(route) = &plan.routes[T::SIGNAL.index()] else { return mapped };
    let all: Vec<&T> = records.iter().collect();
    let twins = if plan.ids { record::twins(records) } else { Vec::new() };
    let budget = Budget::default();
    for (target, positions) in by_address(route, &all, &mut mapped.refused) {
        let group =
            Group { plan, route: route.at, target, all: &all, twins: &twins, records, budget: &budget };
        match &plan.maker {
            Maker::Nothing => group.pack(&positions, |record| plan.bodies.piece(record), &mut mapped),
            Maker::Template(renderer) if renderer.per() == Per::Record => {
                let now = (plan.clock)();
                let render = |record: &T| {
                    let made = group.rendered(renderer, &[record], now)?;
                    plan.bodies.made_piece(made)
                };
                group.pack(&positions, render, &mut mapped);
            }
            Maker::Template(_) | Maker::Function(_) => {
                for chunk in positions.chunks(plan.items) {
                    group.make(chunk, &mut mapped);
                }
            }
        }
    }
    mapped
}

/// The positions of records by their address, the addresses in order of their first record.
fn by_address<T: Entry>(route: &Route, all: &[&T], refused: &mut Vec<Refused>) -> Vec<(String, Vec<usize>)> {
    if all.is_empty() {
        return Vec::new();
    }
    if route.address.is_fixed() {
        return vec![(String::new(), (0..all.len()).collect())];
    }
    let (mut groups, mut known) = (Vec::<(String, Vec<usize>)>::new(), HashMap::new());
    for (at, record) in all.iter().enumerate() {
        match route.address.target(|field| record.field(field)) {
            Ok(target) => {
                let nth = *known.entry(target.clone()).or_insert(groups.len());
                if nth == groups.len() {
                    groups.push((target, Vec::new()));
                }
                groups[nth].1.push(at);
            }
            Err(reason) => refused.push(Refused::encode(at, reason)),
        }
    }
    groups
}

/// What a template is told of records beside them: of each the first that is known.
pub(crate) fn scope<T: Entry>(records: &[&T], now: Timestamp) -> Scope {
    let first = |field| records.iter().find_map(|record| record.field(field)).map(ToOwned::to_owned);
    Scope {
        signal: T::SIGNAL,
        service: first(Field::Service),
        environment: first(Field::Environment),
        host: first(Field::Host),
        now,
    }
}
