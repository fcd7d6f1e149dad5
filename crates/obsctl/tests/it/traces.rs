//! `obsctl traces`.

use crate::program::{data, obsctl};

#[test]
fn a_store_that_is_not_there_is_named_with_the_way_to_make_one() {
    let folder = tempfile::tempdir().unwrap();
    let ran = obsctl(folder.path(), &["traces", "list"]).ended(1);
    assert!(ran.stderr.contains("obs-demo/obs.db") && ran.stderr.contains("obsctl demo"), "{ran:#?}");
    assert!(!folder.path().join("obs-demo").exists(), "reading creates nothing");
}

#[test]
fn a_trace_is_found_by_its_id_its_beginning_and_as_the_latest() {
    let folder = tempfile::tempdir().unwrap();
    obsctl(folder.path(), &["import", &data("agent-otlp.jsonl")]).ended(0);
    let show = |id: &str, code| {
        obsctl(folder.path(), &["traces", "show", id, "--db", "obs-import/obs.db"]).ended(code)
    };
    let whole = show("0af7651916cd43dd8448eb211c80319c", 0).stdout;
    for part in ["invoke_agent shopper", "small-1", "price_of", "no such article", "article 17 is unknown"] {
        assert!(whole.contains(part), "{part} is missing in\n{whole}");
    }
    assert!(!whole.contains('\u{1b}'), "no colours in a pipe");
    assert_eq!(show("0af7", 0).stdout, whole);
    assert_eq!(show("latest", 0).stdout, whole);
    assert!(show("ffff", 1).stderr.contains("no trace ffff"));
    assert!(show("hello", 1).stderr.contains("32 hexadecimal digits"));
}

#[test]
fn the_list_is_narrowed_by_text_model_session_and_failure() {
    let folder = tempfile::tempdir().unwrap();
    obsctl(folder.path(), &["import", &data("agent-otlp.jsonl"), &data("single-otlp.json")]).ended(0);
    let listed = |narrow: &[&str]| {
        let args = [&["traces", "list", "--db", "obs-import", "--json"], narrow].concat();
        obsctl(folder.path(), &args).ended(0).json().as_array().unwrap().len()
    };
    for (narrow, traces) in [
        (&[][..], 2),
        (&["--limit", "1"], 1),
        (&["--text", "NO SUCH article"], 1),
        (&["--text", "unheard of"], 0),
        (&["--model", "small-1"], 1),
        (&["--session", "session-7"], 1),
        (&["--session", "session-8"], 0),
        (&["--failed"], 0),
    ] {
        assert_eq!(listed(narrow), traces, "{narrow:?}");
    }
}
