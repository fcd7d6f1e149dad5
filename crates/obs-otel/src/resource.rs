//! What produced a record: its own resource, completed by what the config says.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use obs_core::{Attributes, ByteSize, Resource, Scope, Str, Value};
use uuid::Uuid;

use crate::OtelConfig;

/// The most resources that are remembered; an application has a few.
const MOST: usize = 1_024;

/// About the most bytes that those resources may have; one beyond is completed each time.
const MOST_BYTES: usize = 4 << 20;

/// The older and the newer name of the same attribute: old backends read one, new ones the other.
const ENVIRONMENT: [&str; 2] = ["deployment.environment", "deployment.environment.name"];

/// Completes resources, each once.
#[derive(Debug)]
pub(crate) struct Resources {
    /// What a resource gets that it lacks.
    complement: Attributes,
    known: Mutex<Known>,
}

/// Completed resources that are remembered.
#[derive(Debug, Default)]
struct Known {
    /// By the address of the record's resource, which is kept so that no other can have it.
    all: HashMap<usize, Pair>,
    /// About how many bytes they keep alive.
    bytes: usize,
}

/// A record's resource, and the completed one.
type Pair = (Arc<Resource>, Arc<Resource>);

impl Resources {
    pub(crate) fn new(config: &OtelConfig) -> Self {
        Self { complement: complement(config), known: Mutex::default() }
    }

    /// The completed resource.
    pub(crate) fn complete(&self, own: &Arc<Resource>) -> Arc<Resource> {
        let key = Arc::as_ptr(own) as usize;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, complete)) = known.all.get(&key) {
            return Arc::clone(complete);
        }
        let complete = self.complete_once(own);
        let bytes = heap(own) + heap(&complete);
        if bytes > MOST_BYTES {
            return complete;
        }
        if known.all.len() == MOST || known.bytes + bytes > MOST_BYTES {
            *known = Known::default();
        }
        known.bytes += bytes;
        known.all.insert(key, (Arc::clone(own), Arc::clone(&complete)));
        complete
    }

    /// The completed resource of a record that nobody will ask for again.
    pub(crate) fn complete_once(&self, own: &Resource) -> Arc<Resource> {
        Arc::new(completed(own, &self.complement))
    }
}

/// About how many bytes a resource has on the heap, long keys and values in full.
fn heap(resource: &Resource) -> usize {
    let scope = resource.scope.as_ref();
    resource.attributes.byte_size() + scope.map_or(0, |scope| scope.attributes.byte_size())
}

/// Completed resources of one batch, whose records mostly share theirs.
#[derive(Debug)]
pub(crate) struct OfBatch<'a> {
    all: &'a Resources,
    /// Whether the resources will be asked for again.
    again: bool,
    last: Option<(&'a Arc<Resource>, Arc<Resource>)>,
}

impl<'a> OfBatch<'a> {
    pub(crate) fn new(all: &'a Resources) -> Self {
        Self { all, again: true, last: None }
    }

    /// Of one record in a copy of its own, whose resource is not worth being remembered.
    pub(crate) fn alone(all: &'a Resources) -> Self {
        Self { all, again: false, last: None }
    }

    #[inline]
    pub(crate) fn complete(&mut self, own: &'a Arc<Resource>) -> &Arc<Resource> {
        let known = matches!(&self.last, Some((last, _)) if Arc::ptr_eq(last, own));
        if !known {
            let complete = if self.again { self.all.complete(own) } else { self.all.complete_once(own) };
            self.last = Some((own, complete));
        }
        match &self.last {
            Some((_, complete)) => complete,
            None => own,
        }
    }
}

/// A record's resource with what it lacks; what it says itself stays.
fn completed(own: &Resource, complement: &Attributes) -> Resource {
    let mut attributes = own.attributes.clone();
    // What another SDK produced is not obs's, also where that SDK says half of what it is.
    let by_another = attributes.get("telemetry.sdk.name").is_some();
    for (key, value) in complement.iter() {
        let of_sdk = key.starts_with("telemetry.sdk.");
        if attributes.get(key).is_none() && !(of_sdk && by_another) {
            attributes.push(key.clone(), value.clone());
        }
    }
    for [from, to] in [ENVIRONMENT, [ENVIRONMENT[1], ENVIRONMENT[0]]] {
        if attributes.get(to).is_none()
            && let Some(value) = attributes.get(from).cloned()
        {
            attributes.push(to, value);
        }
    }
    let scope = own.scope.clone().or_else(|| {
        let version = Some(Str::from(env!("CARGO_PKG_VERSION")));
        Some(Scope { name: "obs".into(), version, attributes: Attributes::new() })
    });
    Resource { attributes, scope }
}

/// What every resource has, in the order of precedence: an option of its own wins over a free attribute.
fn complement(config: &OtelConfig) -> Attributes {
    let mut all = Attributes::new();
    let named = [
        ("service.name", &config.service_name),
        ("service.version", &config.service_version),
        ("service.namespace", &config.service_namespace),
        ("service.instance.id", &config.service_instance_id),
    ];
    for (key, value) in named {
        if let Some(value) = value {
            all.push(key, value.clone());
        }
    }
    let or = |all: &mut Attributes, key: &Str, value: &Value| {
        if all.get(key).is_none() {
            all.push(key.clone(), value.clone());
        }
    };
    for (key, value) in config.resource_attributes.iter() {
        or(&mut all, key, value);
    }
    let defaults: [(&str, Str); 5] = [
        ("service.name", unknown_service()),
        ("service.instance.id", instance()),
        ("telemetry.sdk.name", "obs".into()),
        ("telemetry.sdk.language", "rust".into()),
        ("telemetry.sdk.version", env!("CARGO_PKG_VERSION").into()),
    ];
    for (key, value) in defaults {
        or(&mut all, &Str::from(key), &Value::Str(value));
    }
    all
}

/// OpenTelemetry's name of a service that has none.
fn unknown_service() -> Str {
    let program = std::env::current_exe().ok();
    let name = program.as_deref().and_then(std::path::Path::file_name).and_then(std::ffi::OsStr::to_str);
    name.map_or_else(|| "unknown_service".into(), |name| format!("unknown_service:{name}").into())
}

/// This process, the same for all exporters in it.
fn instance() -> Str {
    static INSTANCE: LazyLock<Str> = LazyLock::new(|| Uuid::new_v4().to_string().into());
    INSTANCE.clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text<'a>(resource: &'a Resource, key: &str) -> Option<&'a str> {
        resource.attributes.get(key).and_then(Value::as_str)
    }

    #[test]
    fn what_a_record_says_stays_and_what_it_lacks_is_added() {
        let config = OtelConfig::default()
            .with_service_name("from-config")
            .with_service_namespace("shop")
            .with_resource_attribute("service.namespace", "free")
            .with_resource_attribute("deployment.environment", "staging");
        let all = Resources::new(&config);
        let own = Arc::new(Resource::service("own"));
        let complete = all.complete(&own);
        for (key, value) in [
            ("service.name", "own"),
            ("service.namespace", "shop"),
            ("deployment.environment", "staging"),
            ("deployment.environment.name", "staging"),
            ("telemetry.sdk.name", "obs"),
            ("telemetry.sdk.language", "rust"),
        ] {
            assert_eq!(text(&complete, key), Some(value), "{key}");
        }
        assert!(text(&complete, "service.instance.id").is_some_and(|id| id.len() == 36));
        assert_eq!(complete.scope.as_ref().map(|scope| &*scope.name), Some("obs"));
        assert!(Arc::ptr_eq(&complete, &all.complete(&own)), "it is made once");
        let none = all.complete(&Arc::new(Resource::default()));
        assert_eq!(text(&none, "service.name"), Some("from-config"));
    }

    #[test]
    fn a_service_without_a_name_has_the_programs() {
        let complete = Resources::new(&OtelConfig::default()).complete(&Arc::default());
        let name = text(&complete, "service.name").unwrap_or_default();
        assert!(name.starts_with("unknown_service:obs_otel"), "{name}");
    }

    #[test]
    fn what_another_sdk_produced_stays_its_own() {
        let mut own = Resource::service("s");
        own.attributes.push("telemetry.sdk.name", "opentelemetry");
        let complete = Resources::new(&OtelConfig::default()).complete(&Arc::new(own));
        assert_eq!(text(&complete, "telemetry.sdk.name"), Some("opentelemetry"));
        assert_eq!(text(&complete, "telemetry.sdk.language"), None);
    }

    #[test]
    fn law_2_resources_that_are_remembered_are_bounded_in_bytes() {
        let all = Resources::new(&OtelConfig::default());
        let large = |nth: usize| {
            let mut resource = Resource::service(format!("s{nth}"));
            resource.attributes.push("text", "x".repeat(1 << 20));
            Arc::new(resource)
        };
        let made: Vec<_> = (0..32).map(large).collect();
        for own in &made {
            all.complete(own);
        }
        let alive = made.iter().filter(|own| Arc::strong_count(own) > 1).count();
        assert!(alive <= 4, "{alive} MiB are kept");
        let mut huge = Resource::default();
        huge.attributes.push("text", "x".repeat(64 << 20));
        let huge = Arc::new(huge);
        let known = Arc::new(Resource::service("s"));
        let complete = all.complete(&known);
        all.complete(&huge);
        assert_eq!(Arc::strong_count(&huge), 1);
        assert!(Arc::ptr_eq(&complete, &all.complete(&known)), "one that is too large drives out no other");
    }
}
