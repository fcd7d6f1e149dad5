//! The suite of leaves passes an honest exporter and catches each kind of dishonest one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use obs_core::{
    Batch, Descriptor, Error, ErrorKind, Exporter, Health, Mapped, Mappers, Receipt, Records, Rejection,
    Retry, Secret, Signal, Signals, suggest,
};
use obs_testkit::conformance::{ConfigCheck, Harness, Observed, Setup, leaf};
use serde::{Deserialize, Deserializer};
use serde_json::json;

use crate::broken;

/// A way to break the contract.
const HONEST: u8 = 0;
const CLAIMS_TOO_MUCH: u8 = 1;
const TAKES_EVERYTHING: u8 = 2;
const WIDENS: u8 = 3;
const LOSES_ONE: u8 = 4;
const WRITES_EMPTY_BATCHES: u8 = 5;
const STAYS_OPEN: u8 = 6;
const FAILS_AT_ONCE: u8 = 7;
const KEEPS_BACK: u8 = 8;
const BREAKS_WHEN_DROPPED: u8 = 9;
const ALWAYS_ILL: u8 = 10;
const TELLS_SECRETS: u8 = 11;
const LOOSE: u8 = 12;
const FLAGGED_BUT_DEAF: u8 = 13;
const GIVES_BACK_OTHERS: u8 = 14;

const KEY: &str = "sk-planted-key";

/// Takes logs always, scores when it is told to, into a count.
struct Leaf<const FLAW: u8> {
    descriptor: Descriptor,
    key: Secret,
    arrived: [AtomicUsize; Signal::COUNT],
    writes: AtomicUsize,
    kept: AtomicUsize,
    under_way: AtomicUsize,
    closed: AtomicBool,
}

impl<const FLAW: u8> Leaf<FLAW> {
    const MAPPERS: Mappers<Self, ()> = Mappers::NONE.logs(whole).scores_when(whole, "scores are on");

    fn new(setup: Setup) -> Self {
        let everything = setup == Setup::Everything || FLAW == WIDENS;
        let keep = if everything { Signals::ALL } else { Signals::ALL.without(Signal::Scores) };
        let mut descriptor = Descriptor::of("leaf", &Self::MAPPERS).narrowed(keep);
        if FLAW == WIDENS {
            descriptor = Descriptor::of("leaf", &Mappers::<Self, ()>::NONE.logs(whole).scores(whole));
        }
        let (writes, kept, under_way) = Default::default();
        let (key, arrived, closed) = (Secret::new(KEY), Default::default(), AtomicBool::new(false));
        Self { descriptor, key, arrived, writes, kept, under_way, closed }
    }

    fn write(&self, signal: Signal, count: usize) {
        self.writes.fetch_add(1, Ordering::SeqCst);
        self.arrived[signal.index()].fetch_add(count, Ordering::SeqCst);
    }
}

fn whole<const FLAW: u8, T>(_: &Leaf<FLAW>, records: &Records<T>) -> Mapped<()> {
    Mapped::whole((), records.len())
}

impl<const FLAW: u8> std::fmt::Debug for Leaf<FLAW> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let key = if FLAW == TELLS_SECRETS { self.key.expose() } else { "[REDACTED]" };
        f.debug_struct("Leaf").field("key", &key).finish_non_exhaustive()
    }
}

#[async_trait]
impl<const FLAW: u8> Exporter for Leaf<FLAW> {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    async fn export(&self, batch: &Batch) -> Result<Receipt, Error> {
        if self.closed.load(Ordering::SeqCst) && FLAW != STAYS_OPEN {
            return Err(Error::closed("leaf", batch));
        }
        if !self.descriptor.support(batch.signal()).is_some() && FLAW != TAKES_EVERYTHING {
            return Err(Error::unsupported("leaf", batch));
        }
        let (signal, len) = (batch.signal(), batch.len());
        if batch.is_empty() && FLAW != WRITES_EMPTY_BATCHES {
            return Ok(Receipt::default());
        }
        let others = self.under_way.fetch_add(1, Ordering::SeqCst);
        tokio::task::yield_now().await;
        self.under_way.fetch_sub(1, Ordering::SeqCst);
        match FLAW {
            FAILS_AT_ONCE if others > 0 => return Ok(Receipt::delivered(len)),
            BREAKS_WHEN_DROPPED if others > 0 => {
                return Err(Error::new(ErrorKind::Io, Retry::Backoff, "still at work", batch.clone()));
            }
            CLAIMS_TOO_MUCH => self.write(signal, len - 1),
            LOSES_ONE => {
                self.write(signal, len - 1);
                return Ok(Receipt::delivered(len - 1));
            }
            KEEPS_BACK => {
                self.kept.fetch_add(len, Ordering::SeqCst);
            }
            FLAGGED_BUT_DEAF => {
                return Ok(Rejection::of(batch.clone(), ErrorKind::Encode, "no form for it").into_receipt());
            }
            GIVES_BACK_OTHERS => {
                let other = obs_testkit::fixtures::nasty(signal).slice(0..len.min(1));
                self.write(signal, len - 1);
                let receipt = Rejection::of(other, ErrorKind::Encode, "no form for it").into_receipt();
                return Ok(Receipt { delivered: len - 1, ..receipt });
            }
            _ => self.write(signal, len),
        }
        Ok(Receipt::delivered(len))
    }

    async fn check(&self) -> Health {
        if FLAW == ALWAYS_ILL { Health::Unhealthy("always".into()) } else { Health::Healthy }
    }

    async fn flush(&self) -> Result<(), Error> {
        Ok(())
    }

    async fn shutdown(&self) -> Result<(), Error> {
        self.closed.store(true, Ordering::SeqCst);
        Ok(())
    }
}

trait IntoReceipt {
    fn into_receipt(self) -> Receipt;
}

impl IntoReceipt for Rejection {
    fn into_receipt(self) -> Receipt {
        Receipt { rejected: vec![self], ..Receipt::default() }
    }
}

#[derive(Debug, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
struct Strict {
    #[serde(rename = "endpoint")]
    _endpoint: String,
}

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer).map_err(suggest::error)
    }
}

#[derive(Debug, Deserialize)]
struct Loose {
    #[serde(rename = "endpoint")]
    _endpoint: String,
}

struct Bench<const FLAW: u8>(Arc<Leaf<FLAW>>);

#[async_trait]
impl<const FLAW: u8> Harness for Bench<FLAW> {
    fn descriptor() -> Descriptor {
        Descriptor::of("leaf", &Leaf::<FLAW>::MAPPERS)
    }

    fn config() -> Option<ConfigCheck> {
        let valid = json!({"endpoint": "x"});
        Some(if FLAW == LOOSE { ConfigCheck::of::<Loose>(valid) } else { ConfigCheck::of::<Strict>(valid) })
    }

    async fn start(setup: Setup) -> Self {
        Self(Arc::new(Leaf::new(setup)))
    }

    fn exporter(&self) -> Arc<dyn Exporter> {
        self.0.clone()
    }

    async fn observe(&self) -> Observed {
        let count = |at: usize| self.0.arrived[at].load(Ordering::SeqCst);
        Observed {
            records: std::array::from_fn(count),
            writes: self.0.writes.load(Ordering::SeqCst),
            bytes: Vec::new(),
        }
    }

    fn secrets(&self) -> Vec<String> {
        vec![KEY.to_owned()]
    }
}

mod honest {
    obs_testkit::conformance!(super::Bench<{ super::HONEST }>);
}

/// The law catches the flaw, for the reason expected.
#[track_caller]
fn caught(law: fn(), reason: &str) {
    let message = broken(law).unwrap_or_else(|| panic!("the flaw passes, expected: {reason}"));
    assert!(message.contains(reason), "{message}");
}

#[test]
fn law_4_a_flag_that_lies_is_caught_in_both_directions() {
    caught(leaf::law_4_every_flag_reaches_the_backend::<Bench<CLAIMS_TOO_MUCH>>, "arrived");
    caught(leaf::law_4_every_flag_reaches_the_backend::<Bench<FLAGGED_BUT_DEAF>>, "nothing was delivered");
    caught(leaf::law_4_no_flag_no_request::<Bench<TAKES_EVERYTHING>>, "is not supported");
    caught(leaf::law_4_an_instance_only_narrows_its_type::<Bench<WIDENS>>, "the type says When");
}

#[test]
fn law_1_lost_records_are_caught() {
    caught(leaf::law_1_every_record_is_accounted_for::<Bench<LOSES_ONE>>, "accounted for");
    caught(leaf::law_1_every_record_is_accounted_for::<Bench<CLAIMS_TOO_MUCH>>, "arrived");
    caught(leaf::law_1_every_record_is_accounted_for::<Bench<GIVES_BACK_OTHERS>>, "was not given");
}

#[test]
fn the_other_flaws_are_caught() {
    caught(leaf::an_empty_batch_is_delivered_without_a_request::<Bench<WRITES_EMPTY_BATCHES>>, "touched");
    caught(leaf::shutdown_twice_is_fine_and_closes::<Bench<STAYS_OPEN>>, "it was shut down");
    caught(leaf::overlapping_exports_are_all_accounted_for::<Bench<FAILS_AT_ONCE>>, "arrived");
    caught(leaf::flush_returns_when_all_is_there::<Bench<KEEPS_BACK>>, "not all is there");
    caught(leaf::a_dropped_export_leaves_it_usable::<Bench<BREAKS_WHEN_DROPPED>>, "still at work");
    caught(leaf::a_working_destination_is_healthy::<Bench<ALWAYS_ILL>>, "always");
    caught(leaf::law_6_no_secret_is_told::<Bench<TELLS_SECRETS>>, "1 of 1 secrets");
    caught(leaf::an_unknown_option_is_refused_with_the_nearest_name::<Bench<LOOSE>>, "taken in silence");
}
