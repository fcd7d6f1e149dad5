//! As much of Markdown as the rules and the README chore need.

/// A line of a document and what it is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    /// Counted from one.
    pub(crate) at: usize,
    /// Without its end.
    pub(crate) text: &'a str,
    /// What it is part of.
    pub(crate) kind: Kind,
}

/// What a line is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A paragraph or a list item.
    Prose,
    /// A heading.
    Heading,
    /// A row of a table.
    Table,
    /// A code block, with its fences.
    Code,
    /// Nothing, or HTML on lines of its own.
    Other,
}

/// A fenced block of code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Block {
    /// The line of its opening fence, counted from one.
    pub(crate) at: usize,
    /// What stands behind the fence: `sh`, `rust`, ….
    pub(crate) language: String,
    /// Its lines.
    pub(crate) lines: Vec<String>,
}

/// The lines of `text`, each with its kind.
pub(crate) fn lines(text: &str) -> Vec<Line<'_>> {
    let (mut fence, mut comment) = (None::<String>, false);
    let kinds = text.lines().enumerate().map(|(at, line)| {
        let trimmed = line.trim_start();
        let kind = if let Some(end) = &fence {
            if trimmed.starts_with(end.as_str()) && trimmed.trim_end().chars().all(|c| c == '`' || c == '~') {
                fence = None;
            }
            Kind::Code
        } else if trimmed.starts_with("```") || trimmed.starts_with("~~~") {
            let mark = trimmed.chars().next().unwrap_or('`');
            fence = Some(trimmed.chars().take_while(|c| *c == mark).collect());
            Kind::Code
        } else if comment || trimmed.starts_with("<!--") {
            comment = !trimmed.contains("-->");
            Kind::Other
        } else {
            outside(line)
        };
        Line { at: at + 1, text: line, kind }
    });
    kinds.collect()
}

/// The kind of a line that is neither in a code block nor in a comment.
fn outside(line: &str) -> Kind {
    let trimmed = line.trim_start();
    if trimmed.is_empty() || (trimmed.starts_with('<') && trimmed.trim_end().ends_with('>')) {
        Kind::Other
    } else if trimmed.starts_with('#') {
        Kind::Heading
    } else if trimmed.starts_with('|') {
        Kind::Table
    } else {
        Kind::Prose
    }
}

/// The code blocks of `text`.
pub(crate) fn blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open = false;
    for line in lines(text) {
        let fence = line.kind == Kind::Code && line.text.trim_start().starts_with(['`', '~']);
        match (line.kind == Kind::Code, open) {
            (true, false) => {
                let language = line.text.trim().trim_start_matches(['`', '~']).to_owned();
                blocks.push(Block { at: line.at, language, lines: Vec::new() });
                open = true;
            }
            (true, true) if fence && line.text.trim().chars().all(|c| c == '`' || c == '~') => open = false,
            (true, true) => {
                if let Some(block) = blocks.last_mut() {
                    block.lines.push(line.text.to_owned());
                }
            }
            (false, _) => open = false,
        }
    }
    blocks
}

/// The name that a heading can be linked by.
pub(crate) fn slug(heading: &str) -> String {
    let text = heading.trim().trim_start_matches('#').trim().to_lowercase();
    let kept = text.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// `line` with its inline code blanked out, one character for each, so that columns stay.
pub(crate) fn without_code(line: &str) -> String {
    let mut code = false;
    let kept = line.chars().map(|c| match (c, code) {
        ('`', _) => {
            code = !code;
            '`'
        }
        (_, true) => 'x',
        (c, false) => c,
    });
    kept.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_has_its_kind() {
        let text =
            "# Head\n\nProse.\n- item\n| a | b |\n```rust\n# not a heading\n```\n<!-- one\ntwo -->\nEnd.\n";
        let kinds: Vec<_> = lines(text).into_iter().map(|line| line.kind).collect();
        assert_eq!(
            kinds,
            [
                Kind::Heading,
                Kind::Other,
                Kind::Prose,
                Kind::Prose,
                Kind::Table,
                Kind::Code,
                Kind::Code,
                Kind::Code,
                Kind::Other,
                Kind::Other,
                Kind::Prose
            ]
        );
    }

    #[test]
    fn blocks_keep_their_language_and_lines() {
        let text = "a\n\n```sh\ncargo test\n\ncargo run\n```\n\n~~~\nx\n~~~\n";
        let found = blocks(text);
        assert_eq!(found.len(), 2);
        assert_eq!(
            (found[0].at, found[0].language.as_str(), found[0].lines.join(";")),
            (3, "sh", "cargo test;;cargo run".into())
        );
        assert_eq!((found[1].at, found[1].lines.as_slice()), (9, ["x".to_owned()].as_slice()));
    }

    #[test]
    fn slugs_and_code() {
        assert_eq!(slug("## Law 1: Accounting, exact!"), "law-1-accounting-exact");
        assert_eq!(without_code("a `b. C` d"), "a `xxxx` d");
    }
}
