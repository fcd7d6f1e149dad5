//! Wrong use.

use crate::program::obsctl;

#[test]
fn wrong_usage_ends_with_2_and_says_what_is_right() {
    let folder = tempfile::tempdir().unwrap();
    for args in [&["import"][..], &["demo", "--model", "m"], &["nonsense"], &["traces", "show"], &[]] {
        let ran = obsctl(folder.path(), args).ended(2);
        assert!(ran.stderr.contains("Usage"), "{ran:#?}");
    }
}

#[test]
fn help_tells_the_exit_codes_and_examples() {
    let folder = tempfile::tempdir().unwrap();
    let help = obsctl(folder.path(), &["--help"]).ended(0).stdout;
    assert!(help.contains("Exit codes") && !help.contains("freshness"), "{help}");
    assert!(obsctl(folder.path(), &["demo", "--help"]).ended(0).stdout.contains("Examples"));
}

#[test]
fn a_replay_says_that_it_needs_a_place() {
    let folder = tempfile::tempdir().unwrap();
    for ran in [
        obsctl(folder.path(), &["dlq", "replay", "--help"]).ended(0).stdout,
        obsctl(folder.path(), &["dlq", "replay"]).ended(2).stderr,
    ] {
        assert!(ran.contains("replay --to <FILE> [OPTIONS]") && ran.contains("replay --dry-run"), "{ran}");
    }
}

#[test]
fn a_wrong_number_or_time_is_answered_with_what_is_right() {
    let folder = tempfile::tempdir().unwrap();
    for args in [&["dlq", "show", "abc"][..], &["dlq", "ls", "--id", "-1"], &["dlq", "purge", "--id", "0x7"]]
    {
        let said = obsctl(folder.path(), args).ended(2).stderr;
        assert!(said.contains("number of a dead letter") && said.contains("`obsctl dlq ls`"), "{said}");
    }
    let said = obsctl(folder.path(), &["dlq", "ls", "--since", "yesterday"]).ended(2).stderr;
    assert!(said.contains("'--since <TIME>': write a time such as 2026-11-21T08:00:00Z"), "{said}");
}
