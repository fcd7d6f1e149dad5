//! Personal data: found where asked for, with its check digits, and nothing beside it.

use std::borrow::Cow;

use obs_redact::{Pii, RedactConfig, Redactor};

/// A kind, texts that are of it, and texts beside it.
const TABLE: &[(Pii, &[&str], &[&str])] = &[
    (
        Pii::Email,
        &["bob@example.com", "jürgen.müller+tag@mail.example.co.uk", "a_b%c@x-y.org"],
        &["bob@localhost", "@handle", "a @ b.com", "user@"],
    ),
    (
        Pii::Phone,
        &["+14155552671", "+44 20 7946 0958", "+49 (0)30 901820", "+1-415-555-2671"],
        &["14155552671", "+1 415", "a+14155552671", "++12345678", "+123456789012345678"],
    ),
    (
        Pii::Iban,
        &["DE89370400440532013000", "GB29 NWBK 6016 1331 9268 19", "NO9386011117947"],
        &["DE89370400440532013001", "GB29 NWBK 6016 1331 9268 18", "XDE89370400440532013000"],
    ),
    (
        Pii::Card,
        &[
            "4111111111111111",
            "5500 0000 0000 0004",
            "3782-822463-10005",
            "2223003122003222",
            "6011000990139424",
        ],
        &[
            "4111111111111112",
            "1763778582123456",
            "1763778582123456789",
            "14111111111111111",
            "4111111111111111.5",
            "4444444444444444",
            "4111111111111111a",
        ],
    ),
    (
        Pii::UsSsn,
        &["123-45-6789", "123 45 6789"],
        &[
            "000-45-6789",
            "666-45-6789",
            "923-45-6789",
            "123-00-6789",
            "123-45-0000",
            "123-45 6789",
            "1123-45-6789",
        ],
    ),
    (
        Pii::Ip,
        &["192.168.1.20", "8.8.8.8", "2001:db8::8a2e:370:7334", "fe80::1", "2001:0db8:0:0:0:0:0:1"],
        &[
            "1.2.3",
            "1.2.3.4.5",
            "256.1.1.1",
            "127.0.0.1",
            "0.0.0.0",
            "::1",
            "a::b",
            "12:34:56",
            "std::fs",
            "v1.2.3.4",
        ],
    ),
];

#[test]
fn every_kind_is_replaced_where_asked_for_and_its_neighbours_are_not() {
    let plain = Redactor::default();
    for (kind, found, beside) in TABLE {
        let redactor = Redactor::new(&RedactConfig::default().with_pii([*kind])).unwrap();
        for (before, after) in
            [("", ""), ("see ", " now"), ("(", ")"), ("\"", "\""), ("to: ", "."), ("\n", "\n"), ("=", ",")]
        {
            for text in *found {
                let text = format!("{before}{text}{after}");
                assert_eq!(
                    redactor.redact_text(&text),
                    format!("{before}[REDACTED]{after}"),
                    "{kind:?}: {text}"
                );
                assert_eq!(plain.redact_text(&text), text, "by option only");
            }
            for text in *beside {
                let text = format!("{before}{text}{after}");
                assert_eq!(redactor.redact_text(&text), text, "{kind:?}");
            }
        }
    }
}

#[test]
fn words_around_do_not_hide_personal_data() {
    let all = TABLE.iter().map(|(kind, _, _)| *kind);
    let redactor = Redactor::new(&RedactConfig::default().with_pii(all)).unwrap();
    for (text, expected) in [
        ("order 12 4111 1111 1111 1111 paid", "order 12 [REDACTED] paid"),
        ("IBAN GB29 NWBK 6016 1331 9268 19 AND MORE", "IBAN [REDACTED] AND MORE"),
        ("from 10.1.2.3:443 to [2001:db8::1]:80", "from [REDACTED]:443 to [[REDACTED]]:80"),
        (
            r#"{"to":"a@b.org","\u0061":"\u0061@b.org","card":4111111111111111,"n":4111111111111112}"#,
            r#"{"to":"[REDACTED]","\u0061":"[REDACTED]","card":"[REDACTED]","n":4111111111111112}"#,
        ),
    ] {
        let redacted = redactor.redact_text(text);
        assert_eq!(redacted, expected);
        assert!(matches!(redactor.redact_text(&redacted), Cow::Borrowed(_)), "once more: {redacted}");
    }
}

#[test]
fn the_names_of_a_file_are_those_of_the_kinds() {
    let config: RedactConfig =
        serde_json::from_str(r#"{"pii":["email","phone","iban","card","us_ssn","ip"]}"#).unwrap();
    assert_eq!(config.pii, TABLE.iter().map(|(kind, _, _)| *kind).collect::<Vec<_>>());
}
