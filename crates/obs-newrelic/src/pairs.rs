//! Attributes of flat objects: names that New Relic takes, each once, and no more than there is room for.

use std::borrow::Cow;
use std::collections::BTreeMap;

use obs_core::{Attributes, Resource, Str, TraceContext, Value, write_json};
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::wire::Scalar;
use crate::{context, names};

/// Which names are New Relic's own, and how many attributes there may be.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) reserved: &'static [&'static str],
    pub(crate) most: usize,
    /// Where those stand that have no room or no name of their own.
    pub(crate) more: &'static str,
}

/// Attributes by their names, each once.
#[derive(Debug)]
pub(crate) struct Pairs<'a> {
    rules: &'static Rules,
    /// How many there may be.
    most: usize,
    /// A name that none may have beside those of the rules.
    taken: Option<&'a str>,
    all: Vec<(Cow<'a, str>, Scalar<'a>)>,
    /// What has no place of its own.
    more: BTreeMap<String, Scalar<'a>>,
}

impl<'a> Pairs<'a> {
    pub(crate) fn new(rules: &'static Rules) -> Self {
        let all = Vec::with_capacity(24);
        Self { rules, most: rules.most, taken: None, all, more: BTreeMap::new() }
    }

    /// With room for so many fewer, and without an attribute of this name.
    pub(crate) fn beside(mut self, fewer: usize, taken: &'a str) -> Self {
        self.most = self.most.saturating_sub(fewer).max(2);
        self.taken = Some(taken);
        self
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    fn has(&self, name: &str) -> bool {
        self.all.iter().any(|(known, _)| known == name)
    }

    /// Whether a record may have an attribute of this name.
    fn is_free(&self, name: &str) -> bool {
        !self.rules.reserved.contains(&name) && self.taken != Some(name) && !self.has(name)
    }

    /// What has no place of its own stands with the rest, under a name that is free there.
    fn rest(&mut self, name: &str, value: Scalar<'a>) {
        let mut name = name.to_owned();
        while self.more.contains_key(&name) {
            name.push('_');
        }
        self.more.insert(name, value);
    }

    /// An attribute of ours; where New Relic has no room for the name, it stands with the rest.
    pub(crate) fn put(&mut self, name: &'a str, value: Scalar<'a>) {
        if self.taken == Some(name) || self.has(name) {
            self.rest(name, value);
        } else {
            self.all.push((Cow::Borrowed(name), value));
        }
    }

    /// An attribute of ours before all others, so that it has room whatever they are.
    pub(crate) fn first(&mut self, name: &'static str, text: String) {
        self.all.insert(0, (Cow::Borrowed(name), Scalar::Text(text.into())));
    }

    pub(crate) fn text(&mut self, name: &'a str, text: impl Into<Cow<'a, str>>) {
        self.put(name, Scalar::Text(text.into()));
    }

    pub(crate) fn some(&mut self, name: &'a str, text: Option<&'a Str>) {
        if let Some(text) = text {
            self.text(name, text.as_str());
        }
    }

    pub(crate) fn number(&mut self, name: &'a str, number: f64) {
        self.put(name, float(number));
    }

    /// An attribute of the record's own: where its name is taken, it stands behind the prefix.
    pub(crate) fn own(&mut self, prefix: &str, name: &'a str, value: Scalar<'a>) {
        let clean = names::attribute(name);
        if self.is_free(&clean) {
            self.all.push((clean, value));
            return;
        }
        let behind = names::attribute(&format!("{prefix}{name}")).into_owned();
        if self.is_free(&behind) {
            self.all.push((Cow::Owned(behind), value));
        } else {
            self.rest(name, value);
        }
    }

    /// A part of what an attribute of the record's own says.
    pub(crate) fn part(&mut self, name: &str, part: &str, value: Scalar<'a>) {
        let whole = names::attribute(&format!("{name}.{part}")).into_owned();
        if self.is_free(&whole) {
            self.all.push((Cow::Owned(whole), value));
        } else {
            self.rest(&whole, value);
        }
    }

    /// The attributes of the record's own.
    pub(crate) fn own_all(&mut self, prefix: &str, attributes: &'a Attributes) {
        for (name, value) in attributes.iter() {
            if let Some(value) = scalar(value) {
                self.own(prefix, name, value);
            }
        }
    }

    /// An attribute that records share: one of this name that is there already wins.
    pub(crate) fn shared(&mut self, name: &'a str, value: Scalar<'a>) {
        if !self.has(name) {
            self.own("resource.", name, value);
        }
    }

    /// What is known of the trace, under the names that spans have by OTLP.
    pub(crate) fn context(&mut self, context: &'a TraceContext) {
        context::put(context, |name, value| self.shared(name, value));
    }

    /// What produced the record.
    pub(crate) fn resource(&mut self, resource: &'a Resource) {
        for (name, value) in resource.attributes.iter() {
            if let Some(value) = scalar(value) {
                self.shared(name, value);
            }
        }
    }

    /// Moves what is beyond the room for it to the rest.
    pub(crate) fn settle(&mut self) {
        if self.all.len() + usize::from(!self.more.is_empty()) > self.most {
            let beyond = self.all.split_off(self.most - 1);
            for (name, value) in beyond {
                self.rest(&name, value);
            }
        }
        if !self.more.is_empty() {
            let more = rest_of(&std::mem::take(&mut self.more));
            self.all.push((Cow::Borrowed(self.rules.more), Scalar::Text(more)));
        }
    }

    /// Writes the attributes, with texts of so many characters at most.
    pub(crate) fn write<M: SerializeMap>(&self, to: &mut M, most: usize) -> Result<(), M::Error> {
        for (name, value) in &self.all {
            match value {
                Scalar::Text(text) => to.serialize_entry(name, &names::text(text, most))?,
                other => to.serialize_entry(name, other)?,
            }
        }
        Ok(())
    }
}

/// Attributes as an object, with texts of so many characters at most.
#[derive(Debug)]
pub(crate) struct Object<'a, 'b> {
    pub(crate) pairs: &'b Pairs<'a>,
    pub(crate) most: usize,
}

impl Serialize for Object<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.pairs.write(&mut map, self.most)?;
        map.end()
    }
}

/// The JSON that `show` makes with texts of so many characters, in at most `max` bytes: texts are cut as far as it takes.
///
/// Names have a limit, so that [`LEAST`] bytes hold whatever there is once the texts are gone.
pub(crate) fn within<T: Serialize>(max: usize, show: impl Fn(usize) -> T) -> Vec<u8> {
    let mut most = names::TEXT;
    loop {
        let mut body = Vec::with_capacity(1_024);
        // Texts and finite numbers do not fail to be written.
        let _ = write_json(&mut body, &show(most));
        if body.len() <= max || most == 0 {
            return body;
        }
        most /= 4;
    }
}

/// What any object has room in.
pub(crate) const LEAST: u64 = 128 << 10;

/// A number; what is none in JSON is its name.
pub(crate) fn float(number: f64) -> Scalar<'static> {
    if number.is_finite() {
        Scalar::Float(number)
    } else if number.is_nan() {
        Scalar::Text("NaN".into())
    } else {
        Scalar::Text(if number > 0.0 { "Infinity" } else { "-Infinity" }.into())
    }
}

/// The value of an attribute as New Relic has it: lists and maps are JSON, and nothing is left out.
pub(crate) fn scalar(value: &Value) -> Option<Scalar<'_>> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(true) => Scalar::Text("true".into()),
        Value::Bool(false) => Scalar::Text("false".into()),
        Value::I64(number) => Scalar::Int(*number),
        Value::F64(number) => float(*number),
        Value::Str(text) => Scalar::Text(text.as_str().into()),
        Value::List(_) | Value::Map(_) => Scalar::Text(json(value)),
    })
}

/// How many characters a text has at most, and how many the mark, where the rest is larger than one text.
const SHORT: usize = 512;
const MARK: usize = 128;

/// The rest as JSON that fits one text: whole members as far as they fit, and how many did not.
fn rest_of(more: &BTreeMap<String, Scalar<'_>>) -> Cow<'static, str> {
    let whole = json(more);
    if whole.chars().count() <= names::TEXT {
        return whole;
    }
    let (mut out, mut length, mut missing) = (String::from("{"), MARK, 0_usize);
    for (name, value) in more {
        let value = match value {
            Scalar::Text(text) => json(&names::text(text, SHORT)),
            other => json(other),
        };
        let member = format!("{}:{value},", json(name));
        let characters = member.chars().count();
        if length + characters > names::TEXT {
            missing += 1;
        } else {
            length += characters;
            out.push_str(&member);
        }
    }
    let mut mark = "truncated".to_owned();
    while more.contains_key(&mark) {
        mark.push('_');
    }
    let said = format!("truncated by obs: {missing} attributes had no room");
    let mark = format!("{}:{}}}", json(&mark), json(&said));
    Cow::Owned(out + &mark)
}

/// A value as JSON text.
pub(crate) fn json<T: Serialize + ?Sized>(value: &T) -> Cow<'static, str> {
    let mut json = Vec::new();
    // Neither texts nor attributes fail to be written; what did would be empty.
    let _ = write_json(&mut json, value);
    Cow::Owned(String::from_utf8_lossy(&json).into_owned())
}
