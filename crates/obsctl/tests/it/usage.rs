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
