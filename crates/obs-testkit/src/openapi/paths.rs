//! Paths and their templates.

/// The template that `path` fits, of several the one with the most words of its own.
pub(super) fn best<'a>(templates: impl Iterator<Item = &'a str>, path: &str) -> Option<&'a str> {
    let fitting = templates.filter_map(|template| Some((own_words(template, path)?, template)));
    fitting.max_by_key(|(words, _)| *words).map(|(_, template)| template)
}

/// How many segments of `path` are in the template by name, or `None` if `path` does not fit it.
fn own_words(template: &str, path: &str) -> Option<usize> {
    let (known, given) = (segments(template), segments(path));
    if known.len() != given.len() {
        return None;
    }
    let mut words = 0;
    for (known, given) in known.iter().zip(&given) {
        if known == given {
            words += 1;
        } else if given.is_empty() || !is_parameter(known) {
            return None;
        }
    }
    Some(words)
}

fn segments(path: &str) -> Vec<&str> {
    path.trim_matches('/').split('/').collect()
}

fn is_parameter(segment: &str) -> bool {
    segment.starts_with('{') && segment.ends_with('}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_with_the_most_words_of_its_own_counts() {
        let templates = ["/runs/{id}", "/runs/batch", "/runs/{id}/share", "/{all}/{of}/it"];
        for (path, found) in [
            ("/runs/7", Some("/runs/{id}")),
            ("/runs/batch", Some("/runs/batch")),
            ("/runs/7/share/", Some("/runs/{id}/share")),
            ("/a/b/it", Some("/{all}/{of}/it")),
            ("/runs", None),
            ("/runs//share", None),
            ("/runs/7/unshare", None),
        ] {
            assert_eq!(best(templates.into_iter(), path), found, "{path}");
        }
    }
}
