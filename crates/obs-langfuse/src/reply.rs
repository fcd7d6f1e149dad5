//! What Langfuse says of the records of a request that it took.

use std::collections::{BTreeMap, HashSet};

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
/// failed on one, or says nothing of it.
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

fn of_events(body: &[u8], request: &Request) -> Result<Reply, String> {
    let IngestionAnswer { successes, errors } =
        serde_json::from_slice(body).map_err(|cause| cause.to_string())?;
    if successes.is_none() && errors.is_none() {
        return Err("neither `successes` nor `errors` are in it".to_owned());
    }
    let ids: HashSet<Uuid> = request.events.iter().map(|(id, _)| *id).collect();
    let taken = successes.into_iter().flatten().filter_map(|taken| taken.id.parse().ok());
    let mut named: HashSet<Uuid> = taken.collect();
    let mut verdicts = Verdicts::default();
    let mut unnamed_faults = Vec::new();
    for fault in errors.into_iter().flatten() {
        match fault.id.parse::<Uuid>().ok().filter(|id| ids.contains(id)) {
            Some(id) => {
                named.insert(id);
                verdicts.add(request, id, &fault);
            }
            None => unnamed_faults.push(fault),
        }
    }
    let silent: Vec<Uuid> = ids.difference(&named).copied().collect();
    // Faults without a name are those of the events that no list has, where they are as many.
    let fault = unnamed_faults.pop().filter(|_| unnamed_faults.len() + 1 >= silent.len());
    for id in silent {
        verdicts.add(request, id, fault.as_ref().unwrap_or(&UNKNOWN));
    }
    Ok(verdicts.reply())
}

/// What is said of an event that the answer does not name.
const UNKNOWN: EventFault = EventFault { id: String::new(), status: 500, message: None, error: None };

/// What became of the records of which an event was not taken: refused, or wanted again.
#[derive(Default)]
struct Verdicts(BTreeMap<usize, Option<Refused>>);

impl Verdicts {
    fn add(&mut self, request: &Request, id: Uuid, fault: &EventFault) {
        for (_, at) in request.events.iter().filter(|(known, _)| *known == id) {
            let verdict = (fault.status < 500).then(|| refused(*at, fault.status, &words(fault)));
            // What is refused stays so, whatever became of the record's other event.
            let known = self.0.entry(*at).or_insert_with(|| verdict.clone());
            if known.is_none() {
                *known = verdict;
            }
        }
    }

    fn reply(self) -> Reply {
        let mut reply = Reply::default();
        for (at, verdict) in self.0 {
            match verdict {
                Some(refused) => reply.refused.push(refused),
                None => reply.again.push(at),
            }
        }
        reply
    }
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

    fn taken(id: u128) -> serde_json::Value {
        json!({"id": Uuid::from_u128(id), "status": 201})
    }

    #[test]
    fn every_event_is_read_and_its_record_found() {
        let request = request(&[(1, 0), (2, 0), (3, 1), (4, 2), (5, 3)], 4);
        let errors = [fault(1, 400), fault(2, 500), fault(4, 503), fault(5, 401)];
        let body = json!({"successes": [taken(3)], "errors": errors});
        let reply = of_events(body.to_string().as_bytes(), &request).unwrap();
        let places: Vec<_> = reply.refused.iter().map(|refused| (refused.at, refused.status)).collect();
        assert_eq!(places, [(0, Some(400)), (3, Some(401))]);
        assert_eq!(&*reply.refused[0].reason, "Langfuse refused the event: Invalid: no name");
        assert_eq!((reply.again, reply.lost), (vec![2], None));
    }

    #[test]
    fn an_event_that_no_list_names_is_wanted_again() {
        let request = request(&[(1, 0), (2, 0), (3, 1), (4, 2)], 3);
        for (body, again) in [
            (json!({"successes": [taken(1), taken(2), taken(3), taken(4)], "errors": []}), vec![]),
            (json!({"successes": [taken(1), taken(3), taken(4)], "errors": []}), vec![0]),
            (json!({"successes": [taken(1), taken(2), taken(3)]}), vec![2]),
            (json!({"errors": [fault(4, 500)]}), vec![0, 1, 2]),
            (json!({"successes": []}), vec![0, 1, 2]),
        ] {
            let reply = of_events(body.to_string().as_bytes(), &request).unwrap();
            assert_eq!((reply.again, reply.refused.len(), reply.lost), (again, 0, None), "{body}");
        }
    }

    #[test]
    fn an_answer_with_neither_list_says_nothing() {
        for body in ["OK", "{}", r#"{"status": "OK"}"#, "[]"] {
            assert!(of_events(body.as_bytes(), &request(&[(1, 0)], 1)).is_err(), "{body}");
        }
    }

    #[test]
    fn a_fault_without_a_name_is_of_the_events_that_no_list_names_where_they_are_as_many() {
        let unknown = json!({"id": "unknown", "status": 400, "message": "Invalid"});
        let body = json!({"successes": [taken(1)], "errors": [unknown]});
        let reply = of_events(body.to_string().as_bytes(), &request(&[(1, 0), (2, 1)], 2)).unwrap();
        assert_eq!(reply.refused.iter().map(|refused| refused.at).collect::<Vec<_>>(), [1]);
        let reply = of_events(body.to_string().as_bytes(), &request(&[(1, 0), (2, 1), (3, 2)], 3)).unwrap();
        assert_eq!((reply.refused.len(), reply.again), (0, vec![1, 2]));
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
