//! Rows into requests: so many items and bytes each, and no id twice in one.

use std::collections::HashMap;

use obs_core::{Call, Mapped, Refused, VisitText, encode_within, write_json};
use serde::Serialize;

use crate::ids::{Id, Place};

/// The most rows of a request, as Braintrust's own clients have it.
pub(crate) const MAX_ROWS: usize = 100;

/// What is posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Route {
    Insert,
    Feedback,
}

impl Route {
    /// The envelope of its items.
    const fn start(self) -> &'static [u8] {
        match self {
            Self::Insert => b"{\"events\":[",
            Self::Feedback => b"{\"feedback\":[",
        }
    }
}

const END: &[u8] = b"]}";

/// One POST.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Post {
    pub(crate) place: Place,
    pub(crate) route: Route,
    pub(crate) body: Vec<u8>,
    /// How many rows the body has.
    pub(crate) rows: usize,
}

/// What carries some records: one POST; for a record that takes two of them, both.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Request {
    pub(crate) posts: Vec<Post>,
    /// A score among them that is no score in Braintrust, if there is one.
    pub(crate) degraded: Option<Box<str>>,
}

/// How much fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Room {
    /// The bytes of a request of several rows.
    pub(crate) usual: usize,
    /// The bytes of a request of one.
    pub(crate) most: usize,
}

impl Room {
    /// Half of what the data plane takes for several rows, all of it for one.
    pub(crate) fn of(max_request_size: u64) -> Self {
        let most = usize::try_from(max_request_size).unwrap_or(usize::MAX);
        Self { usual: most / 2, most }
    }
}

/// Writes rows one behind the other into the requests that they fit.
///
/// The n-th row of an id goes into a request of the n-th wave, and waves are sent in order: so no request has an id twice,
/// which Braintrust leaves open, and what is said of a row later is said later.
#[derive(Debug)]
pub(crate) struct Packer {
    room: Room,
    seen: HashMap<(Place, Route, Id), usize>,
    open: Vec<Open>,
    full: Vec<Open>,
    alone: Vec<(Vec<Post>, Vec<usize>)>,
    refused: Vec<Refused>,
    /// Positions of scores that are none in Braintrust, ascending, with their names.
    degraded: Vec<(usize, Box<str>)>,
}

#[derive(Debug)]
struct Open {
    wave: usize,
    post: Post,
    records: Vec<usize>,
}

impl Packer {
    pub(crate) fn new(room: Room) -> Self {
        let (open, full, alone) = (Vec::new(), Vec::new(), Vec::new());
        Self { room, seen: HashMap::new(), open, full, alone, refused: Vec::new(), degraded: Vec::new() }
    }

    /// A record that cannot be sent.
    pub(crate) fn refuse(&mut self, refused: Refused) {
        self.refused.push(refused);
    }

    /// Adds the row that `write` makes of a record, with the record's longest texts cut if it is larger than any request.
    /// `others` are positions of records that the row stands for, too.
    pub(crate) fn add<T: VisitText + Clone>(
        &mut self,
        (place, route, id): (Place, Route, Id),
        at: usize,
        others: &[usize],
        record: &T,
        write: impl Fn(&T, &mut Vec<u8>) -> Result<(), String>,
    ) {
        let (usual, most) = (self.room.usual, self.room.most - route.start().len() - END.len());
        let count = self.seen.entry((place, route, id)).or_default();
        let wave = *count;
        let nth = self.of(place, route, wave);
        let open = &mut self.open[nth];
        let start = open.post.body.len();
        if open.post.rows > 0 {
            open.post.body.push(b',');
        }
        let from = open.post.body.len();
        if let Err(cause) = write(record, &mut open.post.body) {
            open.post.body.truncate(start);
            return self.refuse_all(Refused::encode(at, cause), others);
        }
        let long = open.post.body.len() - from;
        if long > most {
            open.post.body.truncate(from);
            match encode_within(at, record, most, |record| written(record, &write)) {
                Ok(bytes) => open.post.body.extend(bytes),
                Err(refused) => {
                    open.post.body.truncate(start);
                    return self.refuse_all(refused, others);
                }
            }
        }
        let beyond = open.post.rows >= MAX_ROWS || open.post.body.len() + END.len() > usual;
        if beyond && open.post.rows > 0 {
            let row = open.post.body.split_off(from);
            open.post.body.truncate(start);
            let mut next = Open::new(place, route, wave);
            next.post.body.extend(row);
            self.full.push(std::mem::replace(open, next));
        }
        *self.seen.entry((place, route, id)).or_default() += 1;
        let open = &mut self.open[nth];
        open.post.rows += 1;
        open.records.push(at);
        open.records.extend(others);
    }

    /// Refuses a record and those that its row stands for.
    pub(crate) fn refuse_all(&mut self, refused: Refused, others: &[usize]) {
        self.refused.extend(others.iter().map(|at| Refused { at: *at, ..refused.clone() }));
        self.refused.push(refused);
    }

    /// Says that the score at this position is no score in Braintrust.
    pub(crate) fn degrade(&mut self, at: usize, name: &str) {
        self.degraded.push((at, name.into()));
    }

    /// Adds records that take several posts together, each with one row; their positions are ascending.
    pub(crate) fn add_alone(&mut self, records: Vec<usize>, posts: Vec<Post>) {
        self.alone.push((posts, records));
    }

    /// The open request for these rows.
    fn of(&mut self, place: Place, route: Route, wave: usize) -> usize {
        let same = |open: &Open| (open.post.place, open.post.route, open.wave) == (place, route, wave);
        self.open.iter().position(same).unwrap_or_else(|| {
            self.open.push(Open::new(place, route, wave));
            self.open.len() - 1
        })
    }

    /// All requests, those of earlier waves first.
    pub(crate) fn finish(self) -> Mapped<Request> {
        let mut all = self.full;
        all.extend(self.open.into_iter().filter(|open| open.post.rows > 0));
        all.sort_by_key(|open| open.wave);
        let several = all.into_iter().map(|Open { mut post, mut records, .. }| {
            post.body.extend_from_slice(END);
            records.sort_unstable();
            (vec![post], records)
        });
        let degraded = self.degraded;
        let calls = several.chain(self.alone).map(|(posts, records)| {
            let found = degraded.iter().find(|(at, _)| records.binary_search(at).is_ok());
            let degraded = found.map(|(_, name)| name.clone());
            Call { request: Request { posts, degraded }, records }
        });
        Mapped { calls: calls.collect(), refused: self.refused }
    }
}

impl Open {
    fn new(place: Place, route: Route, wave: usize) -> Self {
        let post = Post { place, route, body: route.start().to_vec(), rows: 0 };
        Self { wave, post, records: Vec::new() }
    }
}

impl Post {
    /// A post of one row.
    pub(crate) fn of(place: Place, route: Route, row: &[u8]) -> Self {
        Self { place, route, body: [route.start(), row, END].concat(), rows: 1 }
    }
}

/// Appends a row.
pub(crate) fn push(out: &mut Vec<u8>, row: &impl Serialize) -> Result<(), String> {
    write_json(out, row).map_err(|cause| cause.to_string())
}

fn written<T>(record: &T, write: impl Fn(&T, &mut Vec<u8>) -> Result<(), String>) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    write(record, &mut bytes)?;
    Ok(bytes)
}

impl Room {
    /// One row of a record that is posted alone, cut to fit.
    pub(crate) fn row<T: VisitText + Clone>(
        self,
        at: usize,
        record: &T,
        write: impl Fn(&T, &mut Vec<u8>) -> Result<(), String>,
    ) -> Result<Vec<u8>, Refused> {
        let most = self.most - Route::Feedback.start().len() - END.len();
        encode_within(at, record, most, |record| written(record, &write))
    }
}
