//! What the compiler says where `#[observe]` cannot do what it is asked.

/// To see what changed, run it with `TRYBUILD=overwrite` and read the difference.
#[test]
fn mistakes_are_told_with_the_way_out() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
