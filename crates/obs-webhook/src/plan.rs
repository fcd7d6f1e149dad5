//! Records into requests: by address, in order, within the limits.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use obs_core::{Call, Error, Mapped, Records, Refused, Signal, Timestamp, encode_within};

use crate::address::{Address, Field};
use crate::body::Bodies;
use crate::record::{self, Entry};
use crate::template::{Renderer, Scope};
use crate::transformer::{PayloadTransformer, Per, TransformFunction};
use crate::values;
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
enum Maker {
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
    bodies: Bodies,
    maker: Maker,
    /// The most records of a request.
    items: usize,
    /// The most bytes of a body before it is compressed.
    bytes: usize,
    /// Whether requests have the id of their records.
    ids: bool,
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
    for (target, positions) in by_address(route, &all, &mut mapped.refused) {
        let group = Group { plan, route, target, all: &all, records };
        match &plan.maker {
            Maker::Nothing => group.pack(&positions, |record| plan.bodies.piece(record), &mut mapped),
            Maker::Template(renderer) if renderer.per() == Per::Record => {
                let now = (plan.clock)();
                let render = |record: &T| {
                    let scope = scope(&[record], now);
                    let made = renderer.render(&[values::value(record)?], &scope)?;
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
fn scope<T: Entry>(records: &[&T], now: Timestamp) -> Scope {
    let first = |field| records.iter().find_map(|record| record.field(field)).map(ToOwned::to_owned);
    Scope {
        signal: T::SIGNAL,
        service: first(Field::Service),
        environment: first(Field::Environment),
        host: first(Field::Host),
        now,
    }
}

/// The records of a batch that have one address.
struct Group<'a, T> {
    plan: &'a Plan,
    route: &'a Route,
    target: String,
    all: &'a [&'a T],
    records: &'a Records<T>,
}

impl<T: Entry> Group<'_, T> {
    /// Packs what stands for each record into bodies, in order.
    fn pack(
        &self,
        positions: &[usize],
        mut piece: impl FnMut(&T) -> Result<Vec<u8>, String>,
        mapped: &mut Mapped<Request>,
    ) {
        let frame = self.plan.bodies.frame(T::SIGNAL);
        let most = self.plan.bytes.saturating_sub(frame.len());
        let (mut pieces, mut carried, mut len) = (Vec::new(), Vec::new(), 0);
        for at in positions.iter().copied() {
            let made = match encode_within(at, self.all[at], most, &mut piece) {
                Ok(made) => made,
                Err(refused) => {
                    mapped.refused.push(refused);
                    continue;
                }
            };
            let with = len + frame.gap() + made.len();
            if !carried.is_empty() && (with > most || carried.len() >= self.plan.items) {
                let body = frame.around(&std::mem::take(&mut pieces));
                mapped.calls.push(self.call(std::mem::take(&mut carried), body, None));
                len = made.len();
            } else {
                len = if carried.is_empty() { made.len() } else { with };
            }
            carried.push(at);
            pieces.push(made);
        }
        if !carried.is_empty() {
            mapped.calls.push(self.call(carried, frame.around(&pieces), None));
        }
    }

    /// Makes one body of all these records; of fewer, where one of them cannot be made or all are too much.
    fn make(&self, positions: &[usize], mapped: &mut Mapped<Request>) {
        if positions.is_empty() {
            return;
        }
        let records: Vec<&T> = positions.iter().map(|at| self.all[*at]).collect();
        let whole = self.made(&records, || self.records.select(positions));
        match (whole, positions) {
            (Ok((body, content_type)), _) if body.len() <= self.plan.bytes => {
                mapped.calls.push(self.call(positions.to_vec(), body, content_type));
            }
            (Ok(_), [at]) => self.make_less(*at, mapped),
            (Err(reason), [at]) => mapped.refused.push(Refused::encode(*at, reason)),
            (Ok(_), _) => self.make_halves(positions, mapped),
            (Err(_), _) => {
                let alone = |at: &usize| self.made(&[self.all[*at]], || self.records.select(&[*at]));
                let (mut good, mut bad) = (Vec::new(), Vec::new());
                for at in positions {
                    match alone(at) {
                        Ok(_) => good.push(*at),
                        Err(reason) => bad.push(Refused::encode(*at, reason)),
                    }
                }
                if bad.is_empty() {
                    return self.make_halves(positions, mapped);
                }
                mapped.refused.append(&mut bad);
                self.make(&good, mapped);
            }
        }
    }

    fn make_halves(&self, positions: &[usize], mapped: &mut Mapped<Request>) {
        let (first, second) = positions.split_at(positions.len() / 2);
        self.make(first, mapped);
        self.make(second, mapped);
    }

    /// Makes a body of one record whose texts are cut until it fits.
    fn make_less(&self, at: usize, mapped: &mut Mapped<Request>) {
        let mut content_type = None;
        let made = encode_within(at, self.all[at], self.plan.bytes, |record| {
            let made = self.made(&[record], || std::iter::once(record.clone()).collect());
            let (body, given) = made?;
            content_type = given;
            Ok(body)
        });
        match made {
            Ok(body) => mapped.calls.push(self.call(vec![at], body, content_type)),
            Err(refused) => mapped.refused.push(refused),
        }
    }

    /// What the template or function makes of records, and the type that it says it is.
    fn made(
        &self,
        records: &[&T],
        batch: impl FnOnce() -> Records<T>,
    ) -> Result<(Vec<u8>, Option<String>), String> {
        let (made, content_type) = match &self.plan.maker {
            Maker::Template(renderer) => {
                let values =
                    records.iter().map(|record| values::value(*record)).collect::<Result<Vec<_>, _>>()?;
                let scope = scope(records, (self.plan.clock)());
                (renderer.render(&values, &scope)?, None)
            }
            Maker::Function(function) => {
                let payload =
                    function(&T::batch(batch())).map_err(|cause| format!("the function failed: {cause}"))?;
                (payload.bytes, payload.content_type)
            }
            Maker::Nothing => return Err("nothing makes a body".to_owned()),
        };
        Ok((self.plan.bodies.made_body(made, content_type.as_deref())?, content_type))
    }

    fn call(&self, records: Vec<usize>, body: Vec<u8>, content_type: Option<String>) -> Call<Request> {
        let id = self.plan.ids.then(|| record::id(records.iter().map(|at| self.all[*at])));
        let (route, target) = (self.route.at, self.target.clone());
        Call { request: Request { route, target, body, content_type, id }, records }
    }
}
