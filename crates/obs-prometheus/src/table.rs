//! The last value of every series, and the names that are taken.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use obs_core::{Labels, Metric, Resource, Str, Timestamp};

use crate::labels::LabelSet;
use crate::names::Name;
use crate::naming::{Naming, Plan};
use crate::page::Type;
use crate::point::{Feed, Kind, Point, Value};
use crate::units::Scale;

/// What tells a source of points from all others: resource and scope, name, unit, kind and labels.
///
/// It tells at least as much apart as aggregation does: two of its series under one key would replace each other.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SourceKey {
    name: Str,
    unit: Option<Str>,
    kind: Kind,
    labels: Labelled,
    resource: Arc<str>,
}

/// Labels in an order of their own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Labelled(Vec<(Str, Str)>);

impl SourceKey {
    /// The key of a record; `resource` is the text of its resource.
    pub(crate) fn of(metric: &Metric, resource: &Arc<str>) -> Self {
        let mut labels: Vec<(Str, Str)> = metric.labels.to_vec();
        labels.sort_by(|a, b| a.0.cmp(&b.0));
        Self {
            name: metric.name.clone(),
            unit: metric.unit.clone(),
            kind: Kind::of(&metric.value),
            labels: Labelled(labels),
            resource: Arc::clone(resource),
        }
    }

    /// The unit, if it says anything; sources with and without such a unit are of one family.
    fn unit(&self) -> Option<&Str> {
        self.unit.as_ref().filter(|unit| !unit.trim().is_empty())
    }
}

/// A record, ready for its series.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) key: SourceKey,
    pub(crate) point: Point,
    pub(crate) labels: Labels,
    pub(crate) description: Option<Str>,
    pub(crate) resource: Arc<Resource>,
}

/// The last value of every series.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    pub(crate) series: BTreeMap<Arc<SourceKey>, Series>,
    pub(crate) families: BTreeMap<String, FamilyPlan>,
    /// Which family has a name: its own, or one of its samples.
    names: HashMap<String, String>,
    /// What each resource says of itself, by the resource's text.
    pub(crate) targets: BTreeMap<Arc<str>, Option<LabelSet>>,
}

/// One series.
#[derive(Debug, Clone)]
pub(crate) struct Series {
    /// The safe name of its family.
    pub(crate) family: Arc<str>,
    pub(crate) labels: Arc<LabelSet>,
    pub(crate) value: Value,
    pub(crate) scale: Scale,
    pub(crate) gauge: bool,
    ty: Type,
    pub(crate) time: Timestamp,
    feed: Feed,
}

/// What a family is, and which metric it shows.
#[derive(Debug, Clone)]
pub(crate) struct FamilyPlan {
    pub(crate) name: Name,
    pub(crate) ty: Type,
    pub(crate) help: String,
    pub(crate) unit: Option<String>,
    of: Str,
    kind: Kind,
    /// The unit as it was recorded, where values are shown as they are.
    shown_in: Option<Str>,
}

impl Table {
    /// A table in which the names of `target_info` are taken, if it is shown.
    pub(crate) fn new(target_info: bool) -> Self {
        let mut table = Self::default();
        if target_info {
            table.take_names(Type::Info, "target");
        }
        table
    }

    fn take_names(&mut self, ty: Type, family: &str) {
        for name in ty.names(family) {
            self.names.insert(name, family.to_owned());
        }
    }

    /// Whether a name is that of a family or of one of its samples.
    pub(crate) fn is_taken(&self, name: &str) -> bool {
        self.names.contains_key(name)
    }

    /// Puts a record into its series.
    ///
    /// # Errors
    /// Why it does not go in; then nothing of it is kept.
    pub(crate) fn apply(&mut self, naming: &Naming, change: Change) -> Result<(), Box<str>> {
        if let Some(series) = self.series.get_mut(&change.key) {
            return series.update(change.point);
        }
        if self.series.len() >= naming.max_series() {
            return Err("too many series: raise max_series, or use fewer label values".into());
        }
        let key = &change.key;
        let plan = naming.plan(&key.name, key.unit().map(|unit| &**unit), key.kind.of_family())?;
        if plan.ty == Type::Counter {
            growing(&change.point.value)?;
        }
        let family = self.family(&plan, &change)?;
        let resource = Arc::clone(&change.key.resource);
        let target = || naming.labelling().target(&change.resource);
        self.targets.entry(resource).or_insert_with(target);
        let series = Series {
            family,
            labels: Arc::new(naming.labelling().series(&change.labels, &change.resource)),
            scale: plan.scale,
            ty: plan.ty,
            gauge: change.key.kind == Kind::Gauge,
            time: change.point.time,
            feed: change.point.feed,
            value: change.point.value,
        };
        self.series.insert(Arc::new(change.key), series);
        Ok(())
    }

    /// The family of a record, made where there is none; a name that something else has is refused.
    fn family(&mut self, plan: &Plan, change: &Change) -> Result<Arc<str>, Box<str>> {
        let base = plan.name.safe.as_str();
        let (key, kind) = (&change.key, change.key.kind.of_family());
        let shown_in = if plan.unit.is_some() { None } else { key.unit().cloned() };
        if let Some(known) = self.families.get(base) {
            let same = (&known.of, known.kind, known.ty, &known.unit, &known.shown_in)
                == (&key.name, kind, plan.ty, &plan.unit, &shown_in);
            return if same { Ok(base.into()) } else { Err(taken(base, &known.of, known.kind)) };
        }
        let names = plan.ty.names(base);
        if let Some(owner) = names.iter().find_map(|name| self.names.get(name)) {
            return Err(match self.families.get(owner) {
                Some(known) => taken(owner, &known.of, known.kind),
                None => format!(
                    "the name {owner}_info is of what is told of the resource; rename the metric by \
                     metrics_mapping, or set target_info = false"
                )
                .into(),
            });
        }
        let help = plan.help.clone().or_else(|| change.description.as_ref().map(ToString::to_string));
        let help = help.map(|help| help.trim().to_owned()).filter(|help| !help.is_empty());
        let help = help.unwrap_or_else(|| recorded_as(&key.name));
        self.take_names(plan.ty, base);
        let (name, ty, unit) = (plan.name.clone(), plan.ty, plan.unit.clone());
        let family = FamilyPlan { name, ty, help, unit, of: key.name.clone(), kind, shown_in };
        self.families.insert(base.to_owned(), family);
        Ok(base.into())
    }
}

/// What is said of a metric that says nothing itself.
fn recorded_as(name: &str) -> String {
    format!("Recorded as {name}.")
}

fn taken(family: &str, by: &str, kind: Kind) -> Box<str> {
    let kind = kind.word();
    format!(
        "the name {family} is taken by the {kind} \"{by}\", of another name, kind or unit; rename one of them by \
         metrics_mapping"
    )
    .into()
}

/// Refuses what a counter cannot show.
fn growing(value: &Value) -> Result<(), Box<str>> {
    match value {
        Value::Number { value, .. } if value.is_nan() || *value < 0.0 => {
            Err("a counter is a number from 0 on; map the metric to a gauge".into())
        }
        _ => Ok(()),
    }
}

impl Series {
    fn update(&mut self, point: Point) -> Result<(), Box<str>> {
        if point.feed != self.feed {
            let forms = "the series has cumulative points and others, which would be counted twice; send it in one form";
            return Err(forms.into());
        }
        let time = self.time.max(point.time);
        let value = match point.feed {
            Feed::Adds => {
                let mut value = self.value.clone();
                value.add(&point.value).map_err(|refusal| refusal.to_string())?;
                value
            }
            // A point that comes late says less than the one that is there.
            Feed::Replaces if point.time < self.time => return Ok(()),
            Feed::Replaces => point.value,
        };
        if self.ty == Type::Counter {
            growing(&value)?;
        }
        (self.value, self.time) = (value, time);
        Ok(())
    }
}
