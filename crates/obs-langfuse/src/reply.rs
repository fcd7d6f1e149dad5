//! What Langfuse says of the records of a request that it took.

use std::collections::BTreeMap;

use obs_core::{ErrorKind, Failure, Refused, Reply, Retry};
use obs_http::Answer;
use uuid::Uuid;

use crate::wire::{EventFault, IngestionAnswer, Request, ScoresAnswer};

/// Some of the request's parts were refused.
const MULTI_STATUS: u16 = 207;

/// What became of scores.
///
/// A 207 says how many were refused and not which, so that nothing is sent again: the others would count twice in nobody's
/// favour.
pub(crate) fn scores(answer: &Answer, len: usize) -> Reply {
    if answer.status() != MULTI_STATUS {
        return Reply::default();
    }
    of_scores(answer.whole().ok().map(|body| &**body), len)
}

fn of_scores(body: Option<&[u8]>, len: usize) -> Reply {
    let read = body.and_then(|body| serde_json::from_slice::<ScoresAnswer>(body).ok());
    let Some(ScoresAnswer { rejected, errors }) = read else {
        let reason = "Langfuse refused some of these scores, and its answer cannot be read";
        return Reply { lost: Some((len, reason.into())), ..Reply::default() };
    };
    let said: Vec<_> =
        errors.into_iter().map(|fault| fault.message).filter(|said| !said.is_empty()).collect();
    let said = if said.is_empty() { "without a reason".to_owned() } else { said.join("; ") };
    let reason = format!("Langfuse refused it: {said}");
    match rejected.min(len) {
        0 => Reply::default(),
        all if all == len => Reply {
            refused: (0..len).map(|at| refused(at, MULTI_STATUS, &reason)).collect(),
            ..Reply::default()
        },
        some => Reply { lost: Some((some, reason.into())), ..Reply::default() },
    }
}

fn refused(at: usize, status: u16, reason: &str) -> Refused {
    Refused { at, kind: ErrorKind::Rejected, status: Some(status), reason: reason.into() }
}

/// What became of a batch of events: a record is refused where one of its events is, and wanted again where the server
/// failed on one.
///
/// # Errors
/// The answer cannot be read, so that nobody knows; sending the batch again changes nothing that was taken.
pub(crate) fn ingestion(answer: &Answer, request: &Request) -> Result<Reply, Failure> {
    of_events(answer.whole()?, request).map_err(|cause| Failure {
        kind: ErrorKind::Unavailable,
        retry: Retry::Backoff,
        status: Some(answer.status()),
        message: format!("Langfuse answered {} and not what became of the events: {cause}", answer.status())
            .into(),
    })
}

fn of_events(body: &[u8], request: &Request) -> Result<Reply, serde_json::Error> {
    let IngestionAnswer { errors } = serde_json::from_slice(body)?;
    let mut faults: BTreeMap<usize, Option<Refused>> = BTreeMap::new();
    let (mut unknown, mut said) = (0, String::new());
    for fault in errors {
        let id = fault.id.parse::<Uuid>().ok();
        let mut at =
            request.events.iter().filter(|(known, _)| Some(*known) == id).map(|(_, at)| *at).peekable();
        if at.peek().is_none() {
            unknown += 1;
            said = words(&fault);
            continue;
        }
        for at in at {
            let verdict = (fault.status < 500).then(|| refused(at, fault.status, &words(&fault)));
            // What is refused stays so, whatever became of the record's other event.
            let known = faults.entry(at).or_insert_with(|| verdict.clone());
            if known.is_none() {
                *known = verdict;
            }
        }
    }
    let mut reply = Reply::default();
    for (at, verdict) in faults {
        match verdict {
            Some(refused) => reply.refused.push(refused),
            None => reply.again.push(at),
        }
    }
    let left = request.len - reply.refused.len() - reply.again.len();
    if unknown.min(left) > 0 {
        reply.lost = Some((unknown.min(left), said.into()));
    }
    Ok(reply)
}

fn words(fault: &EventFault) -> String {
    let error = fault.error.as_ref().map(|error| match error.as_str() {
        Some(text) => text.to_owned(),
        None => error.to_string(),
    });
    let said: Vec<_> =
        [fault.message.clone(), error].into_iter().flatten().filter(|said| !said.is_empty()).collect();
    let said = if said.is_empty() { "without a reason".to_owned() } else { said.join(": ") };
    format!("Langfuse refused the event: {said}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::wire::Place;

    fn request(events: &[(u128, usize)], len: usize) -> Request {
        let events = events.iter().map(|(id, at)| (Uuid::from_u128(*id), *at)).collect();
        Request { place: Place::Ingestion, body: Vec::new(), len, events }
    }

    fn fault(id: u128, status: u16) -> serde_json::Value {
        json!({"id": Uuid::from_u128(id), "status": status, "message": "Invalid", "error": "no name"})
    }

    #[test]
    fn every_event_is_read_and_its_record_found() {
        let request = request(&[(1, 0), (2, 0), (3, 1), (4, 2), (5, 3)], 4);
        let body =
            json!({"successes": [], "errors": [fault(1, 400), fault(2, 500), fault(4, 503), fault(5, 401)]});
        let reply = of_events(body.to_string().as_bytes(), &request).unwrap();
        let places: Vec<_> = reply.refused.iter().map(|refused| (refused.at, refused.status)).collect();
        assert_eq!(places, [(0, Some(400)), (3, Some(401))]);
        assert_eq!(&*reply.refused[0].reason, "Langfuse refused the event: Invalid: no name");
        assert_eq!((reply.again, reply.lost), (vec![2], None));
    }

    #[test]
    fn an_event_that_the_server_does_not_name_is_lost_and_counted() {
        let body =
            json!({"successes": [], "errors": [{"id": "unknown", "status": 400, "message": "Invalid"}]});
        let reply = of_events(body.to_string().as_bytes(), &request(&[(1, 0), (2, 1)], 2)).unwrap();
        assert_eq!(reply.lost.unwrap().0, 1);
        assert!(of_events(b"OK", &request(&[(1, 0)], 1)).is_err());
    }

    #[test]
    fn scores_are_counted_and_never_asked_for_again() {
        let body = |rejected| {
            json!({"accepted": 1, "rejected": rejected, "errors": [{"message": "no such type"}]}).to_string()
        };
        let some = of_scores(Some(body(2).as_bytes()), 3);
        let (count, reason) = some.lost.unwrap();
        assert_eq!((count, &*reason), (2, "Langfuse refused it: no such type"));
        assert_eq!(of_scores(Some(body(0).as_bytes()), 3), Reply::default());
        let all = of_scores(Some(body(9).as_bytes()), 2);
        assert_eq!(all.refused.iter().map(|refused| refused.at).collect::<Vec<_>>(), [0, 1]);
        assert_eq!(of_scores(None, 3).lost.unwrap().0, 3);
    }
}
