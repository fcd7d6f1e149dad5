//! The states of a breaker, without time and calls of their own.

use std::time::Duration;

use crate::BreakerConfig;

/// What a call said about its destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It answers.
    Alive,
    /// It does not.
    Out,
    /// It is to be left alone for so long, as what it said shows.
    Held(Duration),
    /// Nothing: the call was cancelled, or the trouble lay elsewhere.
    Unknown,
}

/// Where a breaker stands; times are readings of its clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Closed,
    Open { until: Duration },
    HalfOpen { passed: u32, probing: bool },
}

/// A call that was let through, and in which state: what it says counts only while that state lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket(u64);

#[derive(Debug)]
pub(super) struct Machine {
    config: BreakerConfig,
    state: State,
    /// Failures in a row.
    failures: u32,
    /// Counts the changes of state.
    era: u64,
}

impl Machine {
    /// How long a call waits that came while another one finds out.
    const TURN: Duration = Duration::from_secs(1);

    pub(super) fn new(config: BreakerConfig) -> Self {
        Self { config, state: State::Closed, failures: 0, era: 0 }
    }

    pub(super) fn state(&self) -> State {
        self.state
    }

    pub(super) fn failures(&self) -> u32 {
        self.failures
    }

    /// Lets a call through whatever the state.
    pub(super) fn ticket(&self) -> Ticket {
        Ticket(self.era)
    }

    /// Lets a call through, or says for how long not.
    pub(super) fn admit(&mut self, now: Duration) -> Result<Ticket, Duration> {
        if let State::Open { until } = self.state {
            let left = until.saturating_sub(now);
            if !left.is_zero() {
                return Err(left);
            }
            self.enter(State::HalfOpen { passed: 0, probing: false });
        }
        match &mut self.state {
            State::HalfOpen { probing: true, .. } => {
                return Err(self.config.recovery_timeout.min(Self::TURN));
            }
            State::HalfOpen { probing, .. } => *probing = true,
            State::Closed | State::Open { .. } => {}
        }
        Ok(Ticket(self.era))
    }

    /// Takes what a call said; `false` where it comes too late to count.
    pub(super) fn settle(&mut self, ticket: Ticket, verdict: Verdict, now: Duration) -> bool {
        if ticket.0 != self.era {
            return false;
        }
        if let State::HalfOpen { probing, .. } = &mut self.state {
            *probing = false;
        }
        match (verdict, &mut self.state) {
            (Verdict::Unknown, _) => {}
            (Verdict::Alive, State::HalfOpen { passed, .. }) => {
                self.failures = 0;
                *passed += 1;
                if *passed >= self.config.half_open_max_calls {
                    self.enter(State::Closed);
                }
            }
            (Verdict::Alive, _) => self.failures = 0,
            (Verdict::Held(wait), _) => {
                self.failures = self.failures.saturating_add(1);
                self.enter(State::Open { until: now.saturating_add(wait) });
            }
            (Verdict::Out, state) => {
                self.failures = self.failures.saturating_add(1);
                let probe = matches!(state, State::HalfOpen { .. });
                if probe || self.failures >= self.config.failure_threshold {
                    self.enter(State::Open { until: now.saturating_add(self.config.recovery_timeout) });
                }
            }
        }
        true
    }

    fn enter(&mut self, state: State) {
        self.state = state;
        self.era += 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone)]
    enum Event {
        Call,
        End(usize, Verdict),
        Pass(u64),
    }

    fn event() -> impl Strategy<Value = Event> {
        let verdict =
            prop::sample::select(vec![Verdict::Alive, Verdict::Out, Verdict::Out, Verdict::Unknown]);
        prop_oneof![
            3 => Just(Event::Call),
            3 => (0usize..8, verdict).prop_map(|(which, verdict)| Event::End(which, verdict)),
            1 => (1u64..90).prop_map(Event::Pass),
        ]
    }

    /// The rules told once more: from what happened since the last change of state, and nothing else.
    #[derive(Debug, Default)]
    struct Model {
        open_until: Option<Duration>,
        half_open: bool,
        probe: bool,
        said: Vec<Verdict>,
    }

    impl Model {
        fn change(&mut self, open_until: Option<Duration>, half_open: bool) {
            *self = Self { open_until, half_open, ..Self::default() };
        }

        fn end(&mut self, verdict: Verdict, config: &BreakerConfig, now: Duration) {
            self.probe = false;
            self.said.extend(Some(verdict).filter(|verdict| *verdict != Verdict::Unknown));
            let alive = self.said.iter().filter(|verdict| **verdict == Verdict::Alive).count();
            let row = self.said.iter().rev().take_while(|verdict| **verdict == Verdict::Out).count();
            let most = if self.half_open { 1 } else { config.failure_threshold as usize };
            if row >= most {
                self.change(Some(now + config.recovery_timeout), false);
            } else if self.half_open && alive >= config.half_open_max_calls as usize {
                self.change(None, false);
            }
        }
    }

    proptest! {
        #[test]
        fn it_does_what_the_rules_say(events in prop::collection::vec(event(), 0..200),
            failure_threshold in 1u32..5, half_open_max_calls in 1u32..4,
        ) {
            let recovery_timeout = Duration::from_mins(1);
            let config = BreakerConfig { failure_threshold, recovery_timeout, half_open_max_calls };
            let (mut machine, mut model, mut now) = (Machine::new(config), Model::default(), Duration::ZERO);
            let (mut calls, mut era) = (Vec::new(), 0);
            for event in events {
                match event {
                    Event::Pass(seconds) => now += Duration::from_secs(seconds),
                    Event::Call => {
                        if model.open_until.is_some_and(|until| now >= until) {
                            model.change(None, true);
                            era += 1;
                        }
                        let expected = match model.open_until {
                            Some(until) => Err(until.saturating_sub(now)),
                            None if model.half_open && model.probe => Err(Machine::TURN),
                            None => Ok(()),
                        };
                        let admitted = machine.admit(now);
                        prop_assert_eq!(admitted.map(drop), expected);
                        model.probe |= expected.is_ok();
                        calls.extend(admitted.ok().map(|ticket| (ticket, era)));
                    }
                    Event::End(..) if calls.is_empty() => {}
                    Event::End(which, verdict) => {
                        let (ticket, begun) = calls.swap_remove(which % calls.len());
                        let before = (model.open_until, model.half_open);
                        if begun == era {
                            model.end(verdict, &config, now);
                            era += u32::from(before != (model.open_until, model.half_open));
                        }
                        let counts = machine.settle(ticket, verdict, now);
                        prop_assert!(counts || begun != era);
                    }
                }
                let state = match (model.open_until, model.half_open) {
                    (Some(until), _) => State::Open { until },
                    (None, true) => {
                        let passed = model.said.iter().filter(|verdict| **verdict == Verdict::Alive).count();
                        State::HalfOpen { passed: passed as u32, probing: model.probe }
                    }
                    (None, false) => State::Closed,
                };
                prop_assert_eq!(machine.state(), state);
            }
        }
    }

    #[test]
    fn a_late_answer_changes_nothing() {
        let config = BreakerConfig { failure_threshold: 1, ..BreakerConfig::DEFAULT };
        let mut machine = Machine::new(config);
        let [first, second] = [(); 2].map(|()| machine.admit(Duration::ZERO).unwrap());
        assert!(machine.settle(first, Verdict::Out, Duration::ZERO));
        let open = machine.state();
        assert!(!machine.settle(second, Verdict::Alive, Duration::ZERO));
        assert_eq!(machine.state(), open);
    }
}
