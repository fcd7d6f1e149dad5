//! The last step before a lane: payloads are settled and secrets replaced.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use obs_core::{
    Attributes, Form, Labels, Payload, Resource, Str, TextVisitor, TraceContext, Value, VisitText,
};
use obs_redact::Redactor;

use crate::clean::CleanTexts;
use crate::guard::guarded;

/// What stands in place of a text whose redaction failed.
const FAILED: &str = "[REDACTION_FAILED]";

/// What stands in place of what is not passed on.
const OMITTED: &str = "[OMITTED]";

/// Settles payloads and, unless that is switched off, redacts every string.
///
/// What many records share is redacted once and stays shared.
#[derive(Debug)]
pub(crate) struct Finish {
    rules: Option<Redactor>,
    contexts: Memo<TraceContext>,
    resources: Memo<Resource>,
    labels: HashMap<usize, (Labels, Labels)>,
    clean: CleanTexts,
}

/// Shared values that were redacted, by their address; both stay alive, so that no address is used twice.
type Memo<T> = HashMap<usize, (Arc<T>, Arc<T>)>;

/// How many shared values are remembered, before all are forgotten.
const REMEMBERED: usize = 1_024;

impl Finish {
    pub(crate) fn new(rules: Option<Redactor>) -> Self {
        Self {
            rules,
            contexts: HashMap::new(),
            resources: HashMap::new(),
            labels: HashMap::new(),
            clean: CleanTexts::default(),
        }
    }

    /// The rules, unless redaction is off.
    pub(crate) fn rules(&self) -> Option<&Redactor> {
        self.rules.as_ref()
    }

    /// Finishes records.
    pub(crate) fn finish(&mut self, records: &mut [impl VisitText]) {
        for record in records {
            record.visit_text(self);
        }
    }

    /// Forgets what was shared, so that it is not kept alive while nothing happens.
    pub(crate) fn forget(&mut self) {
        self.contexts.clear();
        self.resources.clear();
        self.labels.clear();
    }

    fn redact(&self, name: Option<&str>, text: &mut Str) {
        let Some(rules) = &self.rules else { return };
        let redacted = match guarded(|| changed(rules.redact_value(name, text))) {
            Ok(None) => return,
            Ok(Some(redacted)) => redacted.into(),
            Err(_) => Str::from_static(FAILED),
        };
        *text = redacted;
    }

    /// Redacts what stands under a name, inside of so many lists and maps.
    fn value(&self, name: &str, value: &mut Value, depth: usize) {
        let Some(rules) = &self.rules else { return };
        let whole = match value {
            Value::Null => None,
            _ if rules.name_is_omitted(name) => Some(rules.redact_value(Some(name), " ").into_owned()),
            Value::Map(values) if rules.name_is_sensitive(name) && !values.is_empty() => {
                Some(rules.token().into())
            }
            Value::List(_) | Value::Map(_) if rules.is_too_deep(depth) => Some(FAILED.into()),
            Value::I64(number) => Self::number(rules, name, *number),
            Value::F64(number) => Self::number(rules, name, *number),
            Value::Bool(_) | Value::Str(_) | Value::List(_) | Value::Map(_) => None,
        };
        if let Some(whole) = whole {
            if value.as_str() != Some(&*whole) {
                *value = Value::Str(whole.into());
            }
            return;
        }
        match value {
            Value::Str(text) => self.redact(Some(name), text),
            Value::List(values) => {
                for value in values.iter_mut() {
                    self.value(name, value, depth + 1);
                }
                if let Some((kept, mark)) =
                    rules.items_beyond(values.len(), values.last().and_then(Value::as_str))
                {
                    values.truncate(kept);
                    values.push(Value::Str(mark.into()));
                }
            }
            Value::Map(values) => self.map(rules, values, depth + 1),
            Value::Null | Value::Bool(_) | Value::I64(_) | Value::F64(_) => {}
        }
    }

    fn map(&self, rules: &Redactor, values: &mut Attributes, depth: usize) {
        let labels = values.get("value").is_some();
        let says = |is: &dyn Fn(&str) -> bool| {
            let mut said = values.iter().filter(|(key, _)| Redactor::name_is_label(key));
            labels && said.any(|(_, value)| value.as_str().is_some_and(is))
        };
        let omitted = says(&|name| rules.name_is_omitted(name));
        let secret = says(&|name| rules.name_is_sensitive(name));
        for (key, value) in values.iter_mut() {
            match &**key {
                "value" if omitted => Self::omit(value),
                "value" if secret => Self::whole(rules, value),
                // `key` is a sensitive name, but not where it labels a value.
                label if labels && Redactor::name_is_label(label) => self.value("", value, depth),
                name => self.value(name, value, depth),
            }
            self.redact(None, key);
        }
        let last = values.iter().last().and_then(|(_, value)| value.as_str());
        if let Some((kept, name, mark)) = rules.keys_beyond(values.len(), last) {
            let pairs = std::mem::take(values).into_iter().take(kept);
            *values = pairs.chain([(Str::from_static(name), Value::Str(mark.into()))]).collect();
        }
    }

    /// Puts the mark in place of what is not passed on.
    fn omit(value: &mut Value) {
        if !matches!(value, Value::Null) {
            *value = Value::Str(Str::from_static(OMITTED));
        }
    }

    /// Puts the mark in place of a secret, whatever it is.
    fn whole(rules: &Redactor, value: &mut Value) {
        let mark = match value {
            Value::Null | Value::Bool(_) => return,
            Value::Str(text) => rules.redact_whole(text).into_owned(),
            Value::I64(number) => rules.redact_whole(&number.to_string()).into_owned(),
            Value::F64(number) => rules.redact_whole(&number.to_string()).into_owned(),
            Value::List(_) | Value::Map(_) => rules.token().to_owned(),
        };
        *value = Value::Str(mark.into());
    }

    /// The mark for a number that is a secret by its name or by itself.
    fn number(rules: &Redactor, name: &str, number: impl fmt::Display + Copy) -> Option<String> {
        if rules.name_is_sensitive(name) {
            return Some(rules.redact_value(Some(name), &number.to_string()).into_owned());
        }
        rules.number_is_sensitive(number).then(|| rules.redact_text(&number.to_string()).into_owned())
    }
}

fn changed(redacted: Cow<'_, str>) -> Option<String> {
    match redacted {
        Cow::Borrowed(_) => None,
        Cow::Owned(redacted) => Some(redacted),
    }
}

impl TextVisitor for Finish {
    fn text(&mut self, name: &str, text: &mut Str) {
        if self.clean.knows(name, text) {
            return;
        }
        let before = text.clone();
        self.redact(Some(name), text);
        if text.ptr_eq(&before) {
            self.clean.remember(name, text);
        }
    }

    fn payload(&mut self, name: &str, payload: &mut Payload) {
        payload.settle();
        let Some(rules) = &self.rules else { return };
        let redacted = match payload.form() {
            Form::Json => guarded(|| changed(rules.redact_json_value(Some(name), payload.as_str()))),
            Form::Text | Form::Unchecked => {
                guarded(|| changed(rules.redact_value(Some(name), payload.as_str())))
            }
        };
        match redacted {
            Ok(None) => {}
            Ok(Some(redacted)) if payload.form() == Form::Json => {
                *payload =
                    Payload::from_json(&redacted).unwrap_or_else(|| Payload::text(Str::from_static(FAILED)));
            }
            Ok(Some(redacted)) => *payload = Payload::text(redacted),
            Err(_) => *payload = Payload::text(Str::from_static(FAILED)),
        }
    }

    fn attribute(&mut self, key: &mut Str, value: &mut Value) {
        self.value(key, value, 0);
        self.redact(None, key);
    }

    fn labels(&mut self, labels: &mut Labels) {
        if self.rules.is_none() || labels.is_empty() {
            return;
        }
        let address = labels.as_ptr().addr();
        if let Some((_, redacted)) = self.labels.get(&address) {
            *labels = redacted.clone();
            return;
        }
        let pairs = labels.iter().cloned().map(|(mut key, mut value)| {
            self.redact(Some(&key), &mut value);
            self.redact(None, &mut key);
            (key, value)
        });
        let redacted: Labels = pairs.collect();
        let known = std::mem::replace(labels, redacted.clone());
        remember(&mut self.labels, address, (known, redacted));
    }

    fn context(&mut self, context: &mut Arc<TraceContext>) {
        if self.rules.is_some() {
            let mut memo = std::mem::take(&mut self.contexts);
            self.shared(&mut memo, context);
            self.contexts = memo;
        }
    }

    fn resource(&mut self, resource: &mut Arc<Resource>) {
        if self.rules.is_some() {
            let mut memo = std::mem::take(&mut self.resources);
            self.shared(&mut memo, resource);
            self.resources = memo;
        }
    }
}

impl Finish {
    fn shared<T: VisitText + Clone>(&mut self, memo: &mut Memo<T>, value: &mut Arc<T>) {
        let address = Arc::as_ptr(value).addr();
        if let Some((_, redacted)) = memo.get(&address) {
            *value = Arc::clone(redacted);
            return;
        }
        let known = Arc::clone(value);
        Arc::make_mut(value).visit_text(self);
        remember(memo, address, (known, Arc::clone(value)));
    }
}

fn remember<V>(memo: &mut HashMap<usize, V>, address: usize, value: V) {
    if memo.len() >= REMEMBERED {
        memo.clear();
    }
    memo.insert(address, value);
}
