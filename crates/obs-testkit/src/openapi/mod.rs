//! Payloads held against the OpenAPI description of an API: 3.0 and 3.1, as JSON or YAML.
//!
//! Formats such as `uuid` and `date-time` count. A method, path or type of content that the description lacks is a
//! fault, so that a test cannot pass by asking about nothing.
//!
//! ```
//! use obs_testkit::openapi::Spec;
//! use serde_json::json;
//!
//! let spec = Spec::from_text(r#"
//! openapi: 3.0.3
//! paths:
//!   /rows/{id}:
//!     post:
//!       requestBody:
//!         content:
//!           application/json:
//!             schema: {type: object, required: [name], properties: {name: {type: string, nullable: true}}}
//! "#)?;
//! assert_eq!(spec.check("POST", "/rows/7", "application/json", &json!({"name": null})), Ok(()));
//! let faults = spec.check("POST", "/rows/7", "application/json", &json!({})).unwrap_err();
//! assert_eq!(faults, [r#"the body: "name" is a required property"#]);
//! # Ok::<(), String>(())
//! ```

mod paths;
mod schema;

use std::collections::HashMap;
use std::fmt;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, ValidationError, Validator};
use serde_json::{Map, Value, json};

/// A description of an API.
pub struct Spec {
    document: Value,
    /// The components with every schema in the words of JSON Schema 2020-12.
    components: Value,
    nullable: bool,
    /// Compiled schemas by where they stand, since each takes a copy of the components.
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

impl fmt::Debug for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spec").field("info", &self.document["info"]).finish_non_exhaustive()
    }
}

/// The description that stands beside the workspace under this name, or `None` with one line on stderr where it does not.
///
/// Vendors' descriptions are not part of the project. They are looked for in the folder that `OBS_SPECS` names, else in
/// `shared/specs` beside the root of the workspace. A test that is given `None` ends there:
///
/// ```
/// let Some(spec) = obs_testkit::openapi::shared("nowhere.json") else { return };
/// # unreachable!("{spec:?}");
/// ```
///
/// # Panics
/// If the file is there and is no description: that is no reason to skip a test.
pub fn shared(name: &str) -> Option<Spec> {
    let folder = std::env::var_os("OBS_SPECS").map_or_else(beside, PathBuf::from);
    let path = folder.join(name);
    if !path.exists() {
        // Not by `eprintln!`, which the runner of tests hides where the test passes.
        let shown = path.display();
        let _ = writeln!(
            std::io::stderr(),
            "skipped: {shown} is not there; OBS_SPECS names a folder that holds {name}"
        );
        return None;
    }
    match Spec::load(&path) {
        Ok(spec) => Some(spec),
        Err(fault) => panic!("{fault}"),
    }
}

/// `shared/specs` beside the workspace that the running test is of.
fn beside() -> PathBuf {
    let here = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let mut above = Path::new(&here).ancestors();
    let root = above.find(|folder| folder.join("Cargo.lock").exists()).unwrap_or(Path::new("."));
    root.parent().unwrap_or(root).join("shared").join("specs")
}

impl Spec {
    /// Reads a description from a file.
    ///
    /// # Errors
    /// The file with what is wrong: it is not readable, is neither JSON nor YAML, or is no OpenAPI 3.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, String> {
        let shown = path.as_ref().display();
        let text = std::fs::read_to_string(&path).map_err(|cause| format!("{shown}: {cause}"))?;
        Self::from_text(&text).map_err(|fault| format!("{shown}: {fault}"))
    }

    /// Reads a description from its text.
    ///
    /// # Errors
    /// What is wrong: the text is neither JSON nor YAML, or is no OpenAPI 3.
    pub fn from_text(text: &str) -> Result<Self, String> {
        let document: Value = if text.trim_start().starts_with('{') {
            serde_json::from_str(text).map_err(|cause| format!("not JSON: {cause}"))?
        } else {
            yaml_serde::from_str(text).map_err(|cause| format!("not YAML: {cause}"))?
        };
        let version = document["openapi"].as_str().unwrap_or_default();
        let nullable = match version {
            version if version.starts_with("3.0") => true,
            version if version.starts_with("3.1") => false,
            other => return Err(format!("`openapi` says `{other}`, and 3.0 and 3.1 are known")),
        };
        let none = Map::new();
        let schemas = document["components"]["schemas"].as_object().unwrap_or(&none);
        let plain = |(name, found): (&String, &Value)| (name.clone(), schema::plain(found, nullable));
        let components = json!({ "schemas": schemas.iter().map(plain).collect::<Map<_, _>>() });
        Ok(Self { document, components, nullable, validators: Mutex::default() })
    }

    /// Holds the body of a request against what the description has for it.
    ///
    /// The path is without its query; where it fits several templates the one with the most words of its own counts.
    ///
    /// # Errors
    /// One line per fault, with the place in the body; or what the description lacks.
    pub fn check(
        &self,
        method: &str,
        path: &str,
        content_type: &str,
        body: &Value,
    ) -> Result<(), Vec<String>> {
        let (place, operation) = self.operation(method, path)?;
        let content = self.followed(&operation["requestBody"])["content"].clone();
        self.hold_content(&format!("{place} request"), &content, content_type, body)
    }

    /// Holds the JSON of an answer against what the description has for this status, for tests of servers that stand in
    /// for a vendor's.
    ///
    /// # Errors
    /// As for [`Spec::check`].
    pub fn check_answer(
        &self,
        method: &str,
        path: &str,
        status: u16,
        body: &Value,
    ) -> Result<(), Vec<String>> {
        let (place, operation) = self.operation(method, path)?;
        let known = &operation["responses"];
        let status = status.to_string();
        let found = [status.as_str(), "default"].into_iter().find_map(|status| known.get(status));
        let found = found.ok_or_else(|| vec![format!("{place} describes no answer of status {status}")])?;
        let content = self.followed(found)["content"].clone();
        self.hold_content(&format!("{place} answer {status}"), &content, "application/json", body)
    }

    /// Holds a value against the schema of this name in the components, such as the one of a multipart body's part.
    ///
    /// # Errors
    /// As for [`Spec::check`].
    pub fn check_component(&self, name: &str, value: &Value) -> Result<(), Vec<String>> {
        if self.components["schemas"].get(name).is_none() {
            return Err(vec![format!("the components have no schema `{name}`")]);
        }
        let pointer = name.replace('~', "~0").replace('/', "~1");
        self.hold(name, &json!({ "$ref": format!("#/components/schemas/{pointer}") }), value)
    }

    /// The schema of this name in the components as the description writes it, for tests that ask more than [`Spec::check`],
    /// such as whether all names are known where a schema lets others pass.
    pub fn component(&self, name: &str) -> Option<&Value> {
        self.document["components"]["schemas"].get(name)
    }

    fn operation(&self, method: &str, path: &str) -> Result<(String, &Value), Vec<String>> {
        let none = Map::new();
        let known = self.document["paths"].as_object().unwrap_or(&none);
        let template = paths::best(known.keys().map(String::as_str), path)
            .ok_or_else(|| vec![format!("the description has no path {path}")])?;
        let place = format!("{method} {template}");
        let operation = self.document["paths"][template].get(method.to_ascii_lowercase());
        operation
            .map(|operation| (place, operation))
            .ok_or_else(|| vec![format!("the description has no {method} for {template}, which {path} is")])
    }

    /// What a reference of the document leads to; schemas keep theirs.
    fn followed<'a>(&'a self, value: &'a Value) -> &'a Value {
        let pointer = value.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix('#'));
        pointer.and_then(|pointer| self.document.pointer(pointer)).unwrap_or(value)
    }

    fn hold_content(
        &self,
        place: &str,
        content: &Value,
        content_type: &str,
        body: &Value,
    ) -> Result<(), Vec<String>> {
        let wanted = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let known: Vec<_> = content.as_object().into_iter().flatten().collect();
        let bare = |name: &str| name.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let found = known.iter().find(|(name, _)| [&wanted, "*/*"].contains(&bare(name).as_str()));
        let Some((_, found)) = found else {
            let known: Vec<_> = known.iter().map(|(name, _)| name.as_str()).collect();
            return Err(vec![format!("the {place} is described as [{}], not as {wanted}", known.join(", "))]);
        };
        match found.get("schema") {
            Some(schema) => self.hold(place, &schema::plain(schema, self.nullable), body),
            None => Ok(()),
        }
    }

    fn hold(&self, place: &str, schema: &Value, value: &Value) -> Result<(), Vec<String>> {
        let validator = self.validator(place, schema).map_err(|fault| vec![fault])?;
        let mut faults = Vec::new();
        for error in validator.iter_errors(value) {
            tell(&error, &mut faults);
        }
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }

    fn validator(&self, place: &str, schema: &Value) -> Result<Arc<Validator>, String> {
        let mut known = self.validators.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(validator) = known.get(place) {
            return Ok(Arc::clone(validator));
        }
        let whole = json!({ "components": self.components, "allOf": [schema] });
        let options = jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true);
        let validator =
            options.build(&whole).map_err(|fault| format!("the schema of the {place}: {fault}"))?;
        let validator = Arc::new(validator);
        known.insert(place.to_owned(), Arc::clone(&validator));
        Ok(validator)
    }
}

/// The most that a fault quotes of the value.
const QUOTED: usize = 300;

/// The fault as a line; of alternatives, what is wrong with each.
fn tell(error: &ValidationError<'_>, faults: &mut Vec<String>) {
    use ValidationErrorKind::{AnyOf, OneOfNotValid};
    let place = match error.instance_path().as_str() {
        "" => "the body",
        place => place,
    };
    let mut text = error.to_string();
    if text.len() > QUOTED {
        let end = text.ceil_char_boundary(text.len() - QUOTED / 2);
        text = format!("{}[…]{}", &text[..text.floor_char_boundary(QUOTED / 2)], &text[end..]);
    }
    faults.push(format!("{place}: {text}"));
    if let AnyOf { context } | OneOfNotValid { context } = error.kind() {
        for (nth, alternative) in context.iter().enumerate() {
            let mut inner = Vec::new();
            for error in alternative {
                tell(error, &mut inner);
            }
            faults.extend(inner.into_iter().map(|line| format!("  alternative {}: {line}", nth + 1)));
        }
    }
}
