//! What a source file says, as the page shows it.

use super::read::configs;
use crate::project::SourceFile;

const SOURCE: &str = r#"
    const AGE: Duration = Duration::from_secs(30);
    /// What a user can set, see [`Thing`](crate::Thing).
    ///
    /// Not this.
    #[derive(Debug, Clone, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    pub struct ThingConfig {
        /// Where.
        pub(crate) path: PathBuf,
        /// How long.
        #[serde(default = "age", rename = "max_age")]
        pub age: Duration,
        pub short: Duration,
        /// Which.
        pub form: Option<Form>,
        pub other: Form,
        pub names: Vec<String>,
        pub token: String,
        pub many: u64,
        pub key: Option<Secret>,
        #[serde(flatten)]
        pub http: HttpConfig,
        #[serde(skip)]
        pub writer: Writer,
        pub odd: usize,
    }
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Form { #[default] PlainText, Json }
    impl ThingConfig {
        pub fn new(path: impl Into<PathBuf>) -> Self {
            Self {
                path: path.into(), age: AGE, short: Duration::from_millis(5), form: None, other: Form::Json, names: Vec::new(),
                token: "[R]".into(), many: 1_000, key: None, http: HttpConfig::default(), writer: Writer, odd: 4 << 20,
            }
        }
    }
    #[derive(Default, Deserialize)]
    pub struct BareConfig { on: bool, form: Form, size: Option<u8> }
    pub struct LaneConfig { pub bytes: usize, pub age: Duration, pub wait: Backoff }
    impl LaneConfig { pub const DEFAULT: Self = Self { bytes: 64 << 20, age: Duration::from_secs(60 * 60), wait: Backoff::DEFAULT }; }
    impl Default for LaneConfig { fn default() -> Self { Self::DEFAULT } }
    struct OwnConfig { not_public: u8 }
"#;

fn table(at: usize) -> Vec<[String; 3]> {
    let file = SourceFile { path: "a.rs".into(), text: SOURCE.into() };
    let configs = configs(&[&file]).unwrap();
    assert_eq!(configs.len(), 3);
    configs[at].options.iter().map(|o| [o.name.clone(), o.value.clone(), o.default.clone()]).collect()
}

#[test]
fn names_values_and_defaults_come_from_the_code() {
    let expected = [
        ["path", "path", "required"],
        ["max_age", "duration, such as `\"30s\"`", "`\"30s\"`"],
        ["short", "duration, such as `\"30s\"`", "`\"5ms\"`"],
        ["form", "`plain_text` or `json`", "none"],
        ["other", "`plain_text` or `json`", "`json`"],
        ["names", "list of text", "empty"],
        ["token", "text", "`\"[R]\"`"],
        ["many", "integer", "`1000`"],
        ["key", "secret", "none"],
        ["http", "the options of HttpConfig", "–"],
        ["odd", "integer", "`4194304` (4 MiB)"],
    ];
    assert_eq!(table(0), expected);
}

#[test]
fn a_derived_default_is_that_of_the_type() {
    let expected = [
        ["on", "`true` or `false`", "`false`"],
        ["form", "`plain_text` or `json`", "`plain_text`"],
        ["size", "integer", "none"],
    ];
    assert_eq!(table(1), expected);
}

#[test]
fn a_default_may_be_a_constant() {
    assert_eq!(
        table(2),
        [
            ["bytes", "integer", "`67108864` (64 MiB)"],
            ["age", "duration, such as `\"30s\"`", "`\"1h\"`"],
            ["wait", "`Backoff`", "its own"]
        ]
    );
}

#[test]
fn docs_are_their_first_paragraph_without_links() {
    let file = SourceFile { path: "a.rs".into(), text: SOURCE.into() };
    let configs = configs(&[&file]).unwrap();
    assert_eq!(configs[0].doc, "What a user can set, see `Thing`.");
    assert_eq!(configs[0].options[0].doc, "Where.");
}

#[test]
fn a_file_that_does_not_parse_is_named_with_its_line() {
    let file = SourceFile { path: "a.rs".into(), text: "fn a() {}\nfn }".into() };
    let message = configs(&[&file]).unwrap_err().to_string();
    assert!(message.starts_with("a.rs:2: "), "{message}");
}

#[test]
fn an_enum_may_stand_in_another_file() {
    let file = |text: &str| SourceFile { path: "a.rs".into(), text: text.into() };
    let config = file("#[derive(Default)] pub struct AConfig { pub color: Color }");
    let color = file("#[derive(Default)] pub enum Color { #[default] Auto, Never }");
    let option = &configs(&[&config, &color]).unwrap()[0].options[0];
    assert_eq!((option.value.as_str(), option.default.as_str()), ("`Auto` or `Never`", "`Auto`"));
}
