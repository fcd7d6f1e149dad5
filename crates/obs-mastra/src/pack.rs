//! Records into requests: so many items and bytes each.

use obs_core::{Call, Mapped, Refused, VisitText, encode_within, write_json};
use serde::Serialize;

/// The most items of a request: what Mastra's own exporter collects before it sends.
pub(crate) const MAX_ITEMS: usize = 1_000;

/// Where a request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    Spans,
    Logs,
    Metrics,
    Scores,
    Feedback,
}

impl Route {
    /// The route's name in its address and in its body.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Spans => "spans",
            Self::Logs => "logs",
            Self::Metrics => "metrics",
            Self::Scores => "scores",
            Self::Feedback => "feedback",
        }
    }

    fn start(self) -> Vec<u8> {
        format!("{{\"{}\":[", self.name()).into_bytes()
    }

    /// How many bytes a body of nothing has.
    const fn envelope(self) -> usize {
        self.name().len() + b"{\"\":[]}".len()
    }
}

const END: &[u8] = b"]}";

/// What carries some records: one body, or several for a record that fits no single one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Request {
    pub(crate) route: Route,
    pub(crate) bodies: Vec<Vec<u8>>,
}

/// Writes items one behind the other into the requests that they fit.
#[derive(Debug)]
pub(crate) struct Packer {
    max: usize,
    open: Vec<Open>,
    done: Vec<Call<Request>>,
    refused: Vec<Refused>,
}

#[derive(Debug)]
struct Open {
    route: Route,
    body: Vec<u8>,
    items: usize,
    records: Vec<usize>,
}

impl Open {
    fn new(route: Route) -> Self {
        Self { route, body: route.start(), items: 0, records: Vec::new() }
    }

    fn close(mut self) -> Option<Call<Request>> {
        if self.records.is_empty() {
            return None;
        }
        self.body.extend_from_slice(END);
        Some(Call { request: Request { route: self.route, bodies: vec![self.body] }, records: self.records })
    }
}

impl Packer {
    /// Requests of at most so many bytes.
    pub(crate) fn new(max: usize) -> Self {
        Self { max, open: Vec::new(), done: Vec::new(), refused: Vec::new() }
    }

    /// The most bytes of one item.
    pub(crate) const fn room(&self, route: Route) -> usize {
        self.max.saturating_sub(route.envelope())
    }

    /// A record that cannot be sent.
    pub(crate) fn refuse(&mut self, refused: Refused) {
        self.refused.push(refused);
    }

    /// Adds the item that `write` makes of a record, with its longest texts cut if it is larger than any request.
    pub(crate) fn add<T: VisitText + Clone>(
        &mut self,
        route: Route,
        at: usize,
        record: &T,
        write: impl Fn(&T, &mut Vec<u8>) -> Result<(), String>,
    ) {
        let max = self.room(route);
        self.add_all(route, at, 1, |out| write(record, out), || Ok(vec![cut(at, record, max, &write)?]));
    }

    /// Adds the `items` that `write` puts behind one another for a record; where they fit no request together, those
    /// that `alone` makes, which are small enough each, are sent in several.
    pub(crate) fn add_all(
        &mut self,
        route: Route,
        at: usize,
        items: usize,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), String>,
        alone: impl FnOnce() -> Result<Vec<Vec<u8>>, Refused>,
    ) {
        let (max, room) = (self.max, self.room(route));
        let nth = self.of(route);
        let open = &mut self.open[nth];
        let start = open.body.len();
        if open.items > 0 {
            open.body.push(b',');
        }
        let from = open.body.len();
        if let Err(cause) = write(&mut open.body) {
            open.body.truncate(start);
            return self.refuse(Refused::encode(at, cause));
        }
        if open.body.len() - from > room || items > MAX_ITEMS {
            open.body.truncate(start);
            return self.send_alone(nth, at, alone());
        }
        if open.items > 0 && (open.items + items > MAX_ITEMS || open.body.len() + END.len() > max) {
            let group = open.body.split_off(from);
            open.body.truncate(start);
            let mut next = Open::new(route);
            next.body.extend(group);
            self.done.extend(std::mem::replace(open, next).close());
        }
        let open = &mut self.open[nth];
        open.items += items;
        open.records.push(at);
    }

    /// A record in requests of its own, after those before it.
    fn send_alone(&mut self, nth: usize, at: usize, items: Result<Vec<Vec<u8>>, Refused>) {
        let route = self.open[nth].route;
        let items = match items {
            Ok(items) => items,
            Err(refused) => return self.refuse(refused),
        };
        self.done.extend(std::mem::replace(&mut self.open[nth], Open::new(route)).close());
        let mut bodies: Vec<(usize, Vec<u8>)> = Vec::new();
        for item in items {
            match bodies.last_mut() {
                Some((count, body))
                    if *count < MAX_ITEMS && body.len() + 1 + item.len() + END.len() <= self.max =>
                {
                    *count += 1;
                    body.push(b',');
                    body.extend(item);
                }
                _ => bodies.push((1, [route.start(), item].concat())),
            }
        }
        let bodies = bodies.into_iter().map(|(_, body)| [&body, END].concat()).collect();
        self.done.push(Call { request: Request { route, bodies }, records: vec![at] });
    }

    fn of(&mut self, route: Route) -> usize {
        self.open.iter().position(|open| open.route == route).unwrap_or_else(|| {
            self.open.push(Open::new(route));
            self.open.len() - 1
        })
    }

    pub(crate) fn finish(mut self) -> Mapped<Request> {
        self.done.extend(self.open.into_iter().filter_map(Open::close));
        Mapped { calls: self.done, refused: self.refused }
    }
}

/// The request that carries no records: their own exporter asks with it whether it may send again.
pub(crate) fn probe() -> Vec<u8> {
    [&Route::Spans.start(), END].concat()
}

/// Appends an item.
pub(crate) fn push(out: &mut Vec<u8>, item: &impl Serialize) -> Result<(), String> {
    write_json(out, item).map_err(|cause| cause.to_string())
}

/// One item of at most `max` bytes, with its longest texts cut.
pub(crate) fn cut<T: VisitText + Clone>(
    at: usize,
    record: &T,
    max: usize,
    write: impl Fn(&T, &mut Vec<u8>) -> Result<(), String>,
) -> Result<Vec<u8>, Refused> {
    encode_within(at, record, max, |record| {
        let mut bytes = Vec::new();
        write(record, &mut bytes)?;
        Ok(bytes)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_probe_is_an_empty_list_and_envelopes_are_counted() {
        assert_eq!(probe(), b"{\"spans\":[]}");
        assert_eq!(Route::Spans.envelope(), probe().len());
    }
}
