//! The nearest known name to one that nobody knows.

/// A list of names for people: each in backticks.
pub(crate) fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// `, did you mean ...?` with the nearest name, or nothing where none is near.
pub(crate) fn hint<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(unknown, known).map(|name| format!(", did you mean `{name}`?")).unwrap_or_default()
}

/// The known name of which about one letter in three is wrong at most.
fn nearest<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let far = |name: &str| (unknown.len().max(name.len()) / 3).max(1);
    let near = known.into_iter().map(|name| (distance(unknown, name), name));
    near.filter(|(distance, name)| *distance <= far(name))
        .min_by_key(|(distance, _)| *distance)
        .map(|found| found.1)
}

/// How many letters must be added, dropped or changed; case does not count.
fn distance(a: &str, b: &str) -> usize {
    let (a, b) = (a.to_lowercase(), b.to_lowercase());
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.bytes().enumerate() {
            row.push((last[j] + usize::from(x != y)).min(last[j + 1] + 1).min(row[j] + 1));
        }
        last = row;
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_name_is_found_and_a_far_one_is_not() {
        let known = ["name", "skip", "registry"];
        for (unknown, name) in
            [("nme", Some("name")), ("Registy", Some("registry")), ("level", None), ("", None)]
        {
            assert_eq!(nearest(unknown, known), name, "{unknown}");
        }
        assert_eq!(hint("skp", known), ", did you mean `skip`?");
        assert_eq!(list(["a", "b"]), "`a`, `b`");
    }
}
