//! The metrics of one resource in a request.

use std::collections::HashMap;
use std::sync::Arc;

use obs_core::{Metric, Resource};

use super::message::{Identity, Message};
use super::point::{Kind, Point};
use crate::encode::Encoding;
use crate::encode::group::Group;

/// The metrics of one resource and scope.
#[derive(Debug)]
pub(super) struct Metrics {
    group: Group,
    messages: Vec<Message>,
    by_identity: HashMap<Identity, usize>,
    /// The bytes of all messages, and of what separates them.
    bytes: usize,
    before: Before,
}

/// What there was before the last point.
#[derive(Debug, Clone, Copy, Default)]
struct Before {
    /// The message that the last point went to.
    message: usize,
    /// How many bytes its points had, and how many all messages.
    points: usize,
    bytes: usize,
    /// How many bytes the group had when finished.
    group: usize,
}

impl Metrics {
    pub(super) fn new(group: Group) -> Self {
        let (messages, by_identity) = (Vec::new(), HashMap::new());
        Self { group, messages, by_identity, bytes: 0, before: Before::default() }
    }

    pub(super) fn resource(&self) -> &Arc<Resource> {
        &self.group.resource
    }

    /// How many bytes it will have when it is finished; none while it has no points.
    pub(super) fn bytes(&self) -> usize {
        self.group.bytes
    }

    /// Adds a point.
    pub(super) fn add(
        &mut self,
        encoding: Encoding,
        scratch: &mut Vec<u8>,
        metric: &Metric,
        kind: Kind,
        point: &Point<'_>,
    ) {
        let nth = self.message(encoding, metric, kind);
        let message = &mut self.messages[nth];
        let (points, bytes) = (message.points.len(), message.bytes(encoding));
        self.before = Before { message: nth, points, bytes: self.bytes, group: self.group.bytes };
        let separator = encoding == Encoding::Json && bytes == 0 && self.bytes > 0;
        message.push(encoding, scratch, point);
        self.bytes += message.bytes(encoding) - bytes + usize::from(separator);
        self.group.records += 1;
        self.group.bytes = self.group.finished_with(self.bytes);
    }

    /// Takes the last point back.
    pub(super) fn take_back(&mut self) {
        let Before { message, points, bytes, group } = self.before;
        self.messages[message].truncate(points);
        self.bytes = bytes;
        self.group.records -= 1;
        self.group.bytes = group;
    }

    /// The message of a metric: mostly that of the point before.
    fn message(&mut self, encoding: Encoding, metric: &Metric, kind: Kind) -> usize {
        let last = self.before.message;
        if self.messages.get(last).is_some_and(|message| message.is_of(metric, kind)) {
            return last;
        }
        let identity = Identity::of(metric, kind);
        *self.by_identity.entry(identity).or_insert_with_key(|identity| {
            self.messages.push(Message::new(encoding, identity.clone()));
            self.messages.len() - 1
        })
    }

    pub(super) fn finish(mut self, encoding: Encoding) -> Group {
        self.group.out.reserve_exact(self.group.bytes.saturating_sub(self.group.out.len()));
        let messages = self.messages.iter().filter(|message| message.count > 0);
        for (nth, message) in messages.enumerate() {
            if nth > 0 && encoding == Encoding::Json {
                self.group.out.push(b',');
            }
            message.write(encoding, &mut self.group.out);
        }
        self.group
    }
}
