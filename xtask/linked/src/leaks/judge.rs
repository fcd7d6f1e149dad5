//! What is wrong with what was found.

use std::fmt::Write;

use super::Found;

/// One line for each place.
pub(super) fn table(sent: &[Found], control: &[Found]) -> String {
    let mut table = format!("{:<16} {:>12} {:>8} {:>9}\n", "", "bytes", "leaks", "control");
    for (found, control) in sent.iter().zip(control) {
        let _ = writeln!(
            table,
            "{:<16} {:>12} {:>8} {:>9}",
            found.place, found.bytes, found.leaks, control.leaks
        );
    }
    table
}

/// All leaks, and all places where none would have been seen.
pub(super) fn wrong(sent: &[Found], control: &[Found]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (found, control) in sent.iter().zip(control) {
        let place = found.place;
        if found.leaks > 0 {
            wrong.push(format!("{} leaks of planted secrets at {place}", found.leaks));
        }
        if found.bytes == 0 {
            wrong.push(format!("nothing came to {place}"));
        }
        if found.seen && control.leaks == 0 {
            wrong.push(format!("without redaction no leak is seen at {place}, so this sees nothing"));
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use obs_redact::RedactConfig;

    use super::*;
    use crate::arrivals::listed::LISTED;
    use crate::leaks::send::send;

    fn found(bytes: usize, leaks: usize) -> Vec<Found> {
        vec![Found { bytes, leaks, ..Found::nothing("somewhere") }]
    }

    #[test]
    fn a_leak_silence_and_blindness_are_told() {
        assert_eq!(wrong(&found(9, 0), &found(9, 3)), [""; 0]);
        for (sent, control, says) in [
            (found(9, 2), found(9, 3), "2 leaks of planted secrets at somewhere"),
            (found(0, 0), found(9, 3), "nothing came to somewhere"),
            (found(9, 0), found(9, 0), "no leak is seen at somewhere"),
        ] {
            let wrong = wrong(&sent, &control);
            assert!(matches!(&wrong[..], [said] if said.contains(says)), "{wrong:?}");
        }
        let unseen = [Found { seen: false, ..found(9, 0)[0] }];
        assert_eq!(wrong(&unseen, &found(9, 0)), [""; 0]);
    }

    #[test]
    fn law_6_a_hole_in_the_rules_is_told() {
        let json = &LISTED[..1];
        let control = send(json, 100, None).unwrap().found;
        let whole = send(json, 100, Some(&RedactConfig::default())).unwrap().found;
        assert_eq!(wrong(&whole, &control), [""; 0]);
        let hole = RedactConfig::default().with_allowed_name("*password");
        let leaking = send(json, 100, Some(&hole)).unwrap().found;
        let wrong = wrong(&leaking, &control);
        assert!(matches!(&wrong[..], [said] if said.ends_with("at obs-json")), "{wrong:?}");
    }
}
