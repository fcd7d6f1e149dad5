//! A strict reader of both text formats that shares nothing with the writer.
//!
//! It fails where Prometheus or a Pushgateway would, and where they would not notice: samples twice, families in pieces,
//! names of one family in another, buckets that shrink, an infinite bucket that is not the count.

use std::collections::{BTreeMap, BTreeSet};

/// A sample.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) value: f64,
    pub(crate) exemplar: Option<(BTreeMap<String, String>, f64)>,
}

/// A family.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Family {
    pub(crate) ty: String,
    pub(crate) help: Option<String>,
    pub(crate) unit: Option<String>,
    pub(crate) samples: Vec<Sample>,
}

/// Families by their name, which in OpenMetrics is without the suffix of their samples.
pub(crate) type Families = BTreeMap<String, Family>;

/// Reads a page, or says what is wrong with it and where.
pub(crate) fn read(text: &str, open: bool) -> Result<Families, String> {
    if text.contains("\r\n") {
        return Err("a line that ends in a carriage return".into());
    }
    let mut lines: Vec<&str> = text.split('\n').collect();
    if lines.pop() != Some("") {
        return Err("the last line does not end".into());
    }
    if open && lines.pop() != Some("# EOF") {
        return Err("it does not end in # EOF".into());
    }
    let mut reader = Reader { open, families: Families::new(), current: None };
    for line in lines {
        reader.line(line).map_err(|why| format!("{why}: {line}"))?;
    }
    let families = reader.families;
    let mut names = BTreeSet::new();
    for (name, family) in &families {
        for taken in taken(name, &family.ty, open) {
            if !names.insert(taken.clone()) {
                return Err(format!("{taken} is a name of two families"));
            }
        }
        check(name, family, open).map_err(|why| format!("{name}: {why}"))?;
    }
    Ok(families)
}

struct Reader {
    open: bool,
    families: Families,
    current: Option<String>,
}

impl Reader {
    fn line(&mut self, line: &str) -> Result<(), String> {
        let Some(comment) = line.strip_prefix("# ") else { return self.sample(line) };
        let (word, rest) = comment.split_once(' ').ok_or("a comment")?;
        let (name, rest) = name_of(rest)?;
        let rest = rest.strip_prefix(' ').ok_or("nothing behind the name")?;
        if self.current.as_ref() != Some(&name) {
            if self.families.contains_key(&name) {
                return Err("the family comes in pieces".into());
            }
            self.families.insert(name.clone(), Family::default());
            self.current = Some(name.clone());
        }
        let family = self.families.get_mut(&name).ok_or("no family")?;
        if !family.samples.is_empty() {
            return Err("a comment behind samples".into());
        }
        match word {
            "HELP" => family.help = Some(unescaped(rest, self.open)?),
            "TYPE" => {
                let types: &[&str] = if self.open {
                    &["counter", "gauge", "histogram", "info", "unknown"]
                } else {
                    &["counter", "gauge", "histogram", "untyped"]
                };
                if !types.contains(&rest) || !family.ty.is_empty() {
                    return Err("no type of the format, or a second one".into());
                }
                rest.clone_into(&mut family.ty);
            }
            "UNIT" if self.open && name.ends_with(&format!("_{rest}")) => family.unit = Some(rest.to_owned()),
            _ => return Err("no comment of the format".into()),
        }
        Ok(())
    }

    fn sample(&mut self, line: &str) -> Result<(), String> {
        let mut rest = line;
        let mut name = None;
        if !line.starts_with('{') {
            let (found, after) = name_of(line)?;
            (name, rest) = (Some(found), after);
        }
        let mut labels = BTreeMap::new();
        if rest.starts_with('{') {
            rest = labels_of(rest, &mut name, &mut labels)?;
        }
        let name = name.ok_or("no name")?;
        let rest = rest.strip_prefix(' ').ok_or("no space before the value")?;
        let (value, rest) = rest.split_once(' ').map_or((rest, None), |(value, rest)| (value, Some(rest)));
        let exemplar = rest.map(|rest| self.exemplar(rest)).transpose()?;
        let sample = Sample { name, labels, value: number(value)?, exemplar };
        let current = self.current.clone().ok_or("a sample of no family")?;
        let family = self.families.get_mut(&current).ok_or("no family")?;
        if !of_family(&current, &family.ty, self.open).contains(&sample.name) {
            return Err(format!("no sample of {current}"));
        }
        family.samples.push(sample);
        Ok(())
    }

    fn exemplar(&self, text: &str) -> Result<(BTreeMap<String, String>, f64), String> {
        if !self.open {
            return Err("something behind the value".into());
        }
        let rest = text.strip_prefix("# ").ok_or("no exemplar")?;
        let mut labels = BTreeMap::new();
        let rest = labels_of(rest, &mut Some(String::new()), &mut labels)?;
        let length: usize =
            labels.iter().map(|(name, value)| name.chars().count() + value.chars().count()).sum();
        if length > 128 {
            return Err("the exemplar's labels are too long".into());
        }
        let rest = rest.strip_prefix(' ').ok_or("no value of the exemplar")?;
        let (value, time) = rest.split_once(' ').ok_or("no time of the exemplar")?;
        time.parse::<f64>().map_err(|_| "the exemplar's time is none")?;
        Ok((labels, number(value)?))
    }
}

/// The name at the beginning, quoted or not, and what is behind it.
fn name_of(text: &str) -> Result<(String, &str), String> {
    if text.starts_with('"') {
        return quoted(text);
    }
    let end = text.find([' ', '{']).ok_or("nothing behind a name")?;
    let (name, rest) = text.split_at(end);
    let good = |(at, c): (usize, char)| {
        c == '_' || c == ':' || c.is_ascii_alphabetic() || at > 0 && c.is_ascii_digit()
    };
    if name.is_empty() || !name.char_indices().all(good) {
        return Err(format!("{name} is no name"));
    }
    Ok((name.to_owned(), rest))
}

/// Labels in braces, and what is behind them; a name alone in quotes is the metric's.
fn labels_of<'a>(
    text: &'a str,
    name: &mut Option<String>,
    labels: &mut BTreeMap<String, String>,
) -> Result<&'a str, String> {
    let mut rest = text.strip_prefix('{').ok_or("no brace")?;
    loop {
        if let Some(end) = rest.strip_prefix('}') {
            return Ok(end);
        }
        let key = if rest.starts_with('"') {
            let (key, after) = quoted(rest)?;
            rest = after;
            if !rest.starts_with('=') {
                if name.replace(key).is_some() {
                    return Err("two names".into());
                }
                rest = rest.strip_prefix(',').unwrap_or(rest);
                continue;
            }
            key
        } else {
            let (key, after) = rest.split_once('=').ok_or("a label without a value")?;
            rest = &rest[rest.len() - after.len() - 1..];
            let good =
                |(at, c): (usize, char)| c == '_' || c.is_ascii_alphabetic() || at > 0 && c.is_ascii_digit();
            if key.is_empty() || !key.char_indices().all(good) {
                return Err(format!("{key} is no name of a label"));
            }
            key.to_owned()
        };
        let (value, after) = quoted(rest.strip_prefix('=').ok_or("no =")?)?;
        if key.starts_with("__") || value.is_empty() || labels.insert(key, value).is_some() {
            return Err("a label that is reserved, empty, or there twice".into());
        }
        rest = match after.strip_prefix(',') {
            Some(more) if !more.starts_with('}') => more,
            None if after.starts_with('}') => after,
            _ => return Err("no comma".into()),
        };
    }
}

/// A text in quotes, and what is behind it.
fn quoted(text: &str) -> Result<(String, &str), String> {
    let inner = text.strip_prefix('"').ok_or("no quote")?;
    let mut escaped = false;
    for (at, c) in inner.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Ok((unescaped(&inner[..at], true)?, &inner[at + 1..])),
            _ => {}
        }
    }
    Err("a quote that does not end".into())
}

fn unescaped(text: &str, quotes: bool) -> Result<String, String> {
    let (mut out, mut chars) = (String::new(), text.chars());
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('\\') => out.push('\\'),
                Some('n') => out.push('\n'),
                Some('"') if quotes => out.push('"'),
                other => return Err(format!("the escape {other:?}")),
            },
            '"' if quotes => return Err("a bare quote".into()),
            c => out.push(c),
        }
    }
    Ok(out)
}

fn number(text: &str) -> Result<f64, String> {
    match text {
        "+Inf" => Ok(f64::INFINITY),
        "-Inf" => Ok(f64::NEG_INFINITY),
        "NaN" => Ok(f64::NAN),
        _ if text.starts_with(|c: char| c == '-' || c.is_ascii_digit()) => {
            text.parse().map_err(|_| format!("{text} is no number"))
        }
        _ => Err(format!("{text} is no number")),
    }
}

/// The names that samples of a family may have.
fn of_family(name: &str, ty: &str, open: bool) -> Vec<String> {
    let suffixes: &[&str] = match (ty, open) {
        ("counter", true) => &["_total"],
        ("info", _) => &["_info"],
        ("histogram", _) => &["_bucket", "_sum", "_count"],
        _ => &[""],
    };
    suffixes.iter().map(|suffix| format!("{name}{suffix}")).collect()
}

/// All names that a family takes.
fn taken(name: &str, ty: &str, open: bool) -> BTreeSet<String> {
    of_family(name, ty, open).into_iter().chain([name.to_owned()]).collect()
}

/// The rules of a whole family.
fn check(name: &str, family: &Family, open: bool) -> Result<(), String> {
    if family.ty.is_empty() || family.help.as_ref().is_none_or(|help| help.trim().is_empty()) {
        return Err("no type or help".into());
    }
    let mut seen = BTreeSet::new();
    for sample in &family.samples {
        if !seen.insert((&sample.name, &sample.labels)) {
            return Err(format!("twice: {sample:?}"));
        }
        let counts = family.ty == "counter" || sample.name.ends_with("_bucket");
        if (counts || open && family.ty == "histogram") && (sample.value.is_nan() || sample.value < 0.0) {
            return Err(format!("a count below zero or none: {sample:?}"));
        }
        if sample.exemplar.is_some() && !counts {
            return Err(format!("an exemplar of neither counter nor bucket: {sample:?}"));
        }
    }
    if family.ty == "counter" && !open && !name.ends_with("_total") {
        return Err("a counter without _total".into());
    }
    if family.ty == "histogram" { histogram(name, family, open) } else { Ok(()) }
}

fn histogram(name: &str, family: &Family, open: bool) -> Result<(), String> {
    let mut series: BTreeMap<BTreeMap<String, String>, Vec<&Sample>> = BTreeMap::new();
    for sample in &family.samples {
        let mut labels = sample.labels.clone();
        labels.remove("le");
        series.entry(labels).or_default().push(sample);
    }
    for (labels, samples) in series {
        let (mut last, mut upper) = (0.0, f64::NEG_INFINITY);
        let mut negative = false;
        for sample in samples.iter().filter(|sample| sample.name.ends_with("_bucket")) {
            let le = number(sample.labels.get("le").ok_or("a bucket without le")?)?;
            if le <= upper || sample.value < last {
                return Err(format!("buckets out of order under {labels:?}"));
            }
            if let Some((_, value)) = &sample.exemplar
                && (*value > le || *value <= upper)
            {
                return Err(format!("an exemplar of another bucket: {sample:?}"));
            }
            negative |= le < 0.0;
            (last, upper) = (sample.value, le);
        }
        let of = |suffix: &str| samples.iter().find(|sample| sample.name == format!("{name}{suffix}"));
        if upper != f64::INFINITY || of("_count").is_some_and(|count| count.value != last) {
            return Err(format!("the infinite bucket is not the count under {labels:?}"));
        }
        if of("_count").is_some() != of("_sum").is_some() || open && negative && of("_sum").is_some() {
            return Err(format!("a sum without a count, or of negative values, under {labels:?}"));
        }
        if !open && of("_sum").is_none() {
            return Err(format!("no sum under {labels:?}"));
        }
    }
    Ok(())
}

/// The one sample of this name with these labels among others.
pub(crate) fn value(families: &Families, name: &str, labels: &[(&str, &str)]) -> f64 {
    let fits = |sample: &&Sample| {
        sample.name == name
            && labels.iter().all(|(key, value)| sample.labels.get(*key).is_some_and(|known| known == value))
    };
    let mut found = families.values().flat_map(|family| &family.samples).filter(fits);
    let sample = found.next().unwrap_or_else(|| panic!("no {name} {labels:?} among {families:#?}"));
    assert!(found.next().is_none(), "several of {name} {labels:?}");
    sample.value
}

#[test]
fn the_checker_finds_what_is_wrong() {
    let right = "# HELP a_total h\n# TYPE a_total counter\na_total{x=\"1\"} 1\n";
    assert!(read(right, false).is_ok());
    let head = "# HELP h h\n# TYPE h histogram\n";
    for wrong in [
        "a 1\n",
        "# HELP a h\n# TYPE a counter\na 1\n",
        "# HELP a_total h\n# TYPE a_total counter\na_total 1\na_total 2\n",
        "# HELP a_total h\n# TYPE a_total counter\na_total -1\n",
        "# HELP a h\n# TYPE a gauge\na{b=\"\"} 1\n",
        "# HELP a h\n# TYPE a gauge\na{b=\"1\",b=\"2\"} 1\n",
        "# HELP a h\n# TYPE a gauge\na{b=\"\n\"} 1\n",
        "# HELP a h\n# TYPE a gauge\na{b.c=\"1\"} 1\n",
        "# HELP a h\n# TYPE a gauge\na 1 5\n",
        "# HELP a h\n# TYPE a gauge\na 1",
        "# HELP a h\n# TYPE a gauge\na 1\r\n",
        "# HELP a h\n# TYPE a gauge\n# HELP b h\n# TYPE b gauge\na 1\n",
        &format!("{head}h_bucket{{le=\"1\"}} 2\nh_bucket{{le=\"+Inf\"}} 1\nh_sum 1\nh_count 1\n"),
        &format!(
            "{head}h_bucket{{le=\"2\"}} 1\nh_bucket{{le=\"1\"}} 1\nh_bucket{{le=\"+Inf\"}} 1\nh_sum 1\nh_count 1\n"
        ),
        &format!("{head}h_bucket{{le=\"+Inf\"}} 1\nh_sum 1\nh_count 2\n"),
        &format!("{head}h_bucket{{le=\"1\"}} 1\nh_sum 1\nh_count 1\n"),
        &format!(
            "{head}h_bucket{{le=\"+Inf\"}} 1\nh_sum 1\nh_count 1\n# HELP h_sum h\n# TYPE h_sum gauge\nh_sum{{a=\"1\"}} 1\n"
        ),
    ] {
        assert!(read(wrong, false).is_err(), "{wrong}");
    }
    for wrong in ["# HELP a h\n# TYPE a gauge\na 1\n", "# HELP a h\n# TYPE a counter\na 1\n# EOF\n"] {
        assert!(read(wrong, true).is_err(), "{wrong}");
    }
}
