//! Lists of prices: the one that comes with the crate, one's own, and finding a model in them.

use std::borrow::Cow;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use obs_core::{Env, Error, Span, suggest};
use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::Value;

use super::entry::ModelPrices;
use super::model_name::{self, key};
use super::processor::{Call, CostProcessor};

/// The table that comes with the crate.
const BUILT_IN: &str = include_str!("../../prices/prices.json");

/// What a table says of itself.
const FIELDS: [&str; 4] = ["$schema", "version", "note", "models"];

/// The version of the form that tables have.
const VERSION: u64 = 1;

/// A list of what models cost; cheap to clone.
///
/// The form of a file is described by `prices.schema.json` in the crate:
///
/// ```
/// use obs_instrument::cost::Prices;
///
/// let own = Prices::from_json(
///     r#"{"version": 1, "models": [
///         {"provider": "acme", "model": "acme-1", "prices": {"input": 0.5, "output": 2, "cache_read": 0.05}}
///     ]}"#,
/// )?;
/// let all = Prices::built_in().extend(&own);
/// assert!(all.find(Some("acme"), "acme-1-2026-05-01").is_some());
/// # Ok::<(), obs_core::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Prices(Arc<Table>);

#[derive(Clone, Default)]
struct Table {
    models: Vec<Arc<ModelPrices>>,
    /// Where the models of a name stand, by the provider that sells them.
    by_name: FxHashMap<String, Vec<(String, usize)>>,
}

impl Table {
    /// Adds a row; its names are its own from now on.
    fn put(&mut self, row: Arc<ModelPrices>) {
        let seller = model_name::provider(&row.provider);
        for name in row.names() {
            let sellers = self.by_name.entry(key(name)).or_default();
            sellers.retain(|(known, _)| *known != seller);
            sellers.push((seller.clone(), self.models.len()));
        }
        self.models.push(row);
    }

    fn get(&self, seller: &str, name: &str) -> Option<&Arc<ModelPrices>> {
        let (_, at) = self.by_name.get(name)?.iter().find(|(known, _)| known == seller)?;
        self.models.get(*at)
    }

    /// The model of this name, if only one provider has it.
    fn only(&self, name: &str) -> Option<&Arc<ModelPrices>> {
        match self.by_name.get(name)?.as_slice() {
            [(_, at)] => self.models.get(*at),
            _ => None,
        }
    }
}

impl Prices {
    /// The variable that names a file of one's own.
    pub(crate) const VARIABLE: &'static str = "OBS_PRICES";

    /// The prices that come with this crate: the public ones of the large vendors, each with its source and date.
    ///
    /// They are estimates: discounts, batches and regions are not in them.
    pub fn built_in() -> Self {
        static TABLE: LazyLock<Prices> = LazyLock::new(|| Prices::from_json(BUILT_IN).unwrap_or_default());
        TABLE.clone()
    }

    /// No prices at all.
    pub fn none() -> Self {
        Self::default()
    }

    /// The prices in a file.
    ///
    /// # Errors
    /// `Io` where it cannot be read, else as [`Prices::from_json`]; both name the file.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(|cause| {
            let message =
                format!("{}: the prices cannot be read: {cause}; name a file that can", path.display());
            Error::without_records(obs_core::ErrorKind::Io, message)
        })?;
        Self::parse(&text, &path.display().to_string())
    }

    /// The prices in a text.
    ///
    /// # Errors
    /// `Config` for a text that is no table, naming the row, the field and the next step; so for a name that comes twice,
    /// and for a dated model that lacks a price its undated name has, since it would hide that price.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        Self::parse(text, "prices")
    }

    /// The prices of these models, which are checked as those of a file are.
    ///
    /// # Errors
    /// As [`Prices::from_json`].
    pub fn of(models: impl IntoIterator<Item = ModelPrices>) -> Result<Self, Error> {
        Self::checked(models.into_iter().collect(), "prices")
    }

    /// The file that `OBS_PRICES` names, on top of the built-in prices; `None` where it is not set or empty.
    ///
    /// # Errors
    /// As [`Prices::from_file`], with the variable's name.
    pub fn from_env(env: &Env) -> Result<Option<Self>, Error> {
        let Some(path) = env.os(Self::VARIABLE).filter(|path| !path.is_empty()) else { return Ok(None) };
        let own = Self::from_file(Path::new(&path))
            .map_err(|cause| Error::config(&env.name(Self::VARIABLE), cause))?;
        Ok(Some(Self::built_in().extend(&own)))
    }

    /// These prices and the other's, whose rows win.
    #[must_use]
    pub fn extend(mut self, own: &Self) -> Self {
        let table = Arc::make_mut(&mut self.0);
        for row in &own.0.models {
            table.put(Arc::clone(row));
        }
        self
    }

    /// How many models it was given.
    pub fn len(&self) -> usize {
        self.0.models.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Every row, in the order in which they were given.
    pub fn iter(&self) -> impl Iterator<Item = &ModelPrices> {
        self.0.models.iter().map(|row| &**row)
    }

    /// What a model costs at a provider, both as calls name them; `None` if nobody knows.
    ///
    /// The exact name is looked for first, then the name without its maker, region, date and version.
    /// A provider that serves models of others, such as Bedrock or a gateway, has the price of who made them unless the
    /// list has a row of its own; a provider that is not told may be any that alone sells the model.
    pub fn find(&self, provider: Option<&str>, model: &str) -> Option<&Arc<ModelPrices>> {
        let name = model_name::parse(model);
        let sellers = model_name::sellers(provider, name.maker);
        let named =
            sellers.named.iter().find_map(|seller| name.keys.iter().find_map(|key| self.0.get(seller, key)));
        named.or_else(|| name.keys.iter().filter(|_| sellers.any).find_map(|key| self.0.only(key)))
    }

    /// Fills in what calls of models cost that do not say it, of spans that were recorded elsewhere; what cannot be known is
    /// marked as in spans of one's own.
    pub fn fill_in<'a>(&self, spans: impl IntoIterator<Item = &'a mut Span>) {
        let mut costs = CostProcessor::new(Some(self.clone()));
        for span in spans {
            costs.fill(span);
        }
    }

    /// What a call of a model costs: of the model that answered, else of the one that was asked for.
    pub(super) fn find_call(&self, call: &Call) -> Option<&Arc<ModelPrices>> {
        let find = |model: &str| self.find(call.provider.as_deref(), model);
        // A model that was tuned for somebody costs more than the one that was asked for by a shorter name.
        let tuned = call.answered.as_deref().is_some_and(|model| model_name::parse(model).tuned);
        let asked = call.asked.as_deref().filter(|_| !tuned);
        call.answered.as_deref().and_then(find).or_else(|| find(asked?))
    }

    fn parse(text: &str, place: &str) -> Result<Self, Error> {
        let wrong = |message: String| Error::config(place, message);
        let explained =
            |cause: &serde_json::Error| suggest::explain(Cow::Owned(cause.to_string())).into_owned();
        let Value::Object(mut file) =
            serde_json::from_str(text).map_err(|cause| wrong(format!("it is no JSON: {cause}")))?
        else {
            return Err(wrong("it is no JSON object; write `{\"version\": 1, \"models\": […]}`".into()));
        };
        if let Some(unknown) = file.keys().find(|name| !FIELDS.contains(&name.as_str())) {
            let near = suggest::nearest(unknown, FIELDS)
                .map_or(String::new(), |near| format!(", did you mean `{near}`?"));
            return Err(wrong(format!("unknown field `{unknown}`{near} Known: `{}`", FIELDS.join("`, `"))));
        }
        if file.get("version").and_then(Value::as_u64) != Some(VERSION) {
            return Err(wrong(format!(
                "`version` is not {VERSION}; this release reads tables of version {VERSION}"
            )));
        }
        let Some(Value::Array(rows)) = file.remove("models") else {
            return Err(wrong("`models` is no list; write one row a model".into()));
        };
        let read = |(at, row): (usize, Value)| {
            let name = row_name(at, &row);
            serde_json::from_value(row).map_err(|cause| wrong(format!("{name}: {}", explained(&cause))))
        };
        Self::checked(rows.into_iter().enumerate().map(read).collect::<Result<_, _>>()?, place)
    }

    fn checked(rows: Vec<ModelPrices>, place: &str) -> Result<Self, Error> {
        let wrong = |row: &ModelPrices, message: String| {
            Error::config(place, format!("{} of {}: {message}", row.model, row.provider))
        };
        let mut seen = FxHashSet::default();
        let mut table = Table::default();
        for row in rows {
            if let Some((field, advice)) = row.fault() {
                return Err(wrong(&row, format!("{field}: {advice}")));
            }
            let seller = model_name::provider(&row.provider);
            if let Some(twice) = row.names().find(|name| !seen.insert((seller.clone(), key(name)))) {
                return Err(wrong(&row, format!("`{twice}` is there twice; leave one out")));
            }
            table.put(Arc::new(row));
        }
        for dated in &table.models {
            let seller = model_name::provider(&dated.provider);
            let bases = dated.names().flat_map(|name| model_name::parse(name).keys.into_iter().skip(1));
            let hidden = bases.filter_map(|key| table.get(&seller, &key)).find_map(|base| dated.hides(base));
            if let Some((name, price)) = hidden {
                let advice = format!(
                    "`{name}` lacks `{price}`, which the name without its date has; write that price, too, or leave the \
                     dated row out"
                );
                return Err(wrong(dated, advice));
            }
        }
        Ok(Self(Arc::new(table)))
    }
}

/// What to call a row that may be of any form.
fn row_name(at: usize, row: &Value) -> String {
    let field = |name| row.get(name).and_then(Value::as_str);
    match (field("model"), field("provider")) {
        (Some(model), Some(provider)) => format!("row {}, {model} of {provider}", at + 1),
        _ => format!("row {}", at + 1),
    }
}

impl fmt::Debug for Prices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prices").field("models", &self.len()).finish_non_exhaustive()
    }
}
