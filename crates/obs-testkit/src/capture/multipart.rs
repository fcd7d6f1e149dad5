//! A strict reader of multipart/form-data, for tests of what is written.

/// A part of a multipart/form-data body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The parameter `name` of `Content-Disposition`.
    pub name: String,
    /// The `Content-Type` as it stands, parameters included.
    pub content_type: String,
    /// Names in lower case and values, in their order.
    pub headers: Vec<(String, String)>,
    /// The content.
    pub body: Vec<u8>,
}

impl Part {
    /// The content as JSON, or `None` if it is none.
    pub fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// The first value of a header; the name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// The boundary that a `Content-Type` of multipart/form-data names.
pub(super) fn boundary(content_type: &str) -> Option<&str> {
    let (kind, _) = content_type.split_once(';')?;
    let found = parameter(content_type, "boundary").filter(|found| !found.is_empty());
    found.filter(|_| kind.trim().eq_ignore_ascii_case("multipart/form-data"))
}

/// Where `wanted` begins in `bytes`.
pub(super) fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

pub(super) fn parse(content_type: &str, body: &[u8]) -> Result<Vec<Part>, String> {
    let boundary = boundary(content_type)
        .ok_or_else(|| format!("`{content_type}` is not multipart/form-data with a boundary"))?;
    if boundary.len() > 70 {
        return Err(format!("the boundary has {} characters, and 70 is the most", boundary.len()));
    }
    let mut rest = body
        .strip_prefix(format!("--{boundary}").as_bytes())
        .ok_or("the body does not begin with the boundary")?;
    let delimiter = format!("\r\n--{boundary}");
    let mut parts = Vec::new();
    loop {
        if let Some(behind) = rest.strip_prefix(b"--") {
            return match behind {
                b"" | b"\r\n" => Ok(parts),
                more => Err(format!("{} bytes stand behind the closing boundary", more.len())),
            };
        }
        let nth = parts.len() + 1;
        let content = rest
            .strip_prefix(b"\r\n")
            .ok_or_else(|| format!("part {nth}: no line break behind its boundary"))?;
        let end = find(content, delimiter.as_bytes())
            .ok_or_else(|| format!("part {nth}: no boundary behind it, so the closing one is missing"))?;
        parts.push(part(nth, &content[..end])?);
        rest = &content[end + delimiter.len()..];
    }
}

fn part(nth: usize, content: &[u8]) -> Result<Part, String> {
    let at = |what: String| format!("part {nth}: {what}");
    let end = find(content, b"\r\n\r\n").ok_or_else(|| at("no empty line behind its headers".into()))?;
    let head = std::str::from_utf8(&content[..end]).map_err(|_| at("its headers are not text".into()))?;
    let body = content[end + 4..].to_vec();
    let mut headers = Vec::new();
    for line in head.split("\r\n") {
        let (name, value) = line.split_once(':').ok_or_else(|| at(format!("`{line}` is not a header")))?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let value = |name: &str| headers.iter().find(|(known, _)| known == name).map(|(_, value)| value);
    let disposition = value("content-disposition").filter(|value| value.starts_with("form-data;"));
    let name = disposition
        .and_then(|value| parameter(value, "name"))
        .filter(|name| !name.is_empty())
        .ok_or_else(|| at("no `Content-Disposition: form-data` with a name".into()))?
        .to_owned();
    let at = |what: String| format!("part {nth}, `{name}`: {what}");
    let content_type = value("content-type").ok_or_else(|| at("no `Content-Type`".into()))?.clone();
    if value("content-encoding").is_some() {
        return Err(at("a `Content-Encoding`, which only the whole body may have".into()));
    }
    let lengths: Vec<_> = value("content-length")
        .map(String::as_str)
        .into_iter()
        .chain(parameter(&content_type, "length"))
        .collect();
    if lengths.is_empty() {
        return Err(at("neither `Content-Length` nor `; length=`".into()));
    }
    if let Some(untrue) = lengths.iter().find(|length| length.parse() != Ok(body.len())) {
        return Err(at(format!("says it has {untrue} bytes, and has {}", body.len())));
    }
    Ok(Part { name, content_type, headers, body })
}

/// The value of a parameter of a header, without its quotes.
fn parameter<'a>(value: &'a str, wanted: &str) -> Option<&'a str> {
    let parameters = value.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    let mut named = parameters.filter(|(name, _)| name.trim().eq_ignore_ascii_case(wanted));
    named.next().map(|(_, value)| value.trim().trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPE: &str = "multipart/form-data; boundary=\"b-1\"";
    const GOOD: &str = "--b-1\r\nContent-Disposition: form-data; name=\"post.7\"\r\nContent-Type: application/json\r\n\
        Content-Length: 8\r\n\r\n{\"a\":\r\n1\r\n--b-1\r\nContent-Disposition: form-data; name=\"post.7.inputs\"\r\n\
        Content-Type: application/json; length=2\r\n\r\n{}\r\n--b-1--\r\n";

    #[test]
    fn parts_are_read_with_what_they_say_of_themselves() {
        let parts = parse(TYPE, GOOD.as_bytes()).unwrap();
        assert_eq!(parts.len(), 2);
        assert_eq!((parts[0].name.as_str(), &*parts[0].body), ("post.7", &b"{\"a\":\r\n1"[..]));
        assert_eq!(parts[0].header("content-length"), Some("8"));
        assert_eq!(parts[1].content_type, "application/json; length=2");
        assert_eq!(parts[1].json(), Some(serde_json::json!({})));
        assert_eq!(parse(TYPE, b"--b-1--"), Ok(Vec::new()));
    }

    #[test]
    fn what_breaks_a_rule_is_named() {
        let cases = [
            ("--b-1--\r\n", "", "the closing one is missing"),
            ("--b-1--\r\n", "--b-1--\r\nmore", "6 bytes stand behind"),
            ("Content-Type: application/json\r\n", "", "part 1, `post.7`: no `Content-Type`"),
            ("Content-Length: 8\r\n", "", "part 1, `post.7`: neither"),
            ("Content-Length: 8", "Content-Length: 9", "says it has 9 bytes, and has 8"),
            ("; length=2", "; length=1", "part 2, `post.7.inputs`: says it has 1 bytes, and has 2"),
            ("Content-Length: 8", "Content-Encoding: gzip", "which only the whole body may have"),
            (" name=\"post.7.inputs\"", "", "part 2: no `Content-Disposition"),
            ("--b-1\r\nContent-D", "preamble--b-1\r\nContent-D", "does not begin with the boundary"),
            ("length=2\r\n\r\n{}", "length=2\r\n{}", "part 2: no empty line"),
        ];
        for (from, to, said) in cases {
            let message = parse(TYPE, GOOD.replacen(from, to, 1).as_bytes()).unwrap_err();
            assert!(message.contains(said), "{said}: {message}");
        }
        assert!(parse("application/json", b"{}").unwrap_err().contains("is not multipart"));
        assert!(parse("multipart/form-data; boundary=", b"--").unwrap_err().contains("is not multipart"));
    }
}
