//! What one model is called in many places.

/// Who makes models, in the spelling of the table, and what else they are called.
///
/// Names stand as [`key`] makes them.
const VENDORS: [(&str, &[&str]); 13] = [
    ("openai", &["open-ai"]),
    ("anthropic", &["claude"]),
    ("google", &["gemini", "gcp-gemini", "google-ai-studio", "google-genai", "google-generative-ai"]),
    ("mistral_ai", &["mistral", "mistralai", "mistral-ai"]),
    ("cohere", &[]),
    ("deepseek", &["deepseek-ai"]),
    ("x_ai", &["xai", "x-ai"]),
    ("amazon", &["nova"]),
    ("voyageai", &["voyage", "voyage-ai"]),
    ("meta", &["meta-llama"]),
    ("ai21", &["ai21-labs"]),
    ("groq", &[]),
    ("perplexity", &["perplexity-ai"]),
];

/// Who serves models of others, whose they are where the name does not say, and what else they are called.
const HOSTS: [(&str, Option<&str>, &[&str]); 9] = [
    ("aws.bedrock", Some("amazon"), &["aws-bedrock", "bedrock", "amazon-bedrock", "aws"]),
    (
        "azure.ai.openai",
        Some("openai"),
        &[
            "azure-ai-openai",
            "azure-openai",
            "az-ai-openai",
            "azure",
            "azure-ai",
            "azure-ai-inference",
            "az-ai-inference",
        ],
    ),
    (
        "gcp.vertex_ai",
        Some("google"),
        &[
            "gcp-vertex-ai",
            "vertex-ai",
            "vertexai",
            "vertex",
            "google-vertex",
            "google-vertexai",
            "gcp-gen-ai",
        ],
    ),
    ("openrouter", None, &["open-router"]),
    ("vercel", None, &["gateway", "vercel-ai-gateway"]),
    ("litellm", None, &["litellm-proxy"]),
    ("portkey", None, &[]),
    ("helicone", None, &[]),
    ("cloudflare", None, &["cloudflare-ai-gateway"]),
];

/// Where Bedrock runs an inference profile.
const REGIONS: [&str; 10] = ["us", "eu", "apac", "global", "us-gov", "jp", "au", "ca", "uk", "sa"];

/// A name in the one spelling that names are compared in: lower case, every separator a dash.
pub(super) fn key(name: &str) -> String {
    let plain = |c: char| if matches!(c, '.' | '_' | ' ' | '@') { '-' } else { c.to_ascii_lowercase() };
    name.trim().chars().map(plain).collect()
}

/// A provider in the table's spelling; one that nobody knows stays as it is.
pub(super) fn provider(name: &str) -> String {
    let key = key(name);
    host(&key).map(|(name, _)| name).or_else(|| vendor(&key)).map_or(key, str::to_owned)
}

fn vendor(key: &str) -> Option<&'static str> {
    let is = |(name, others): &&(&str, &[&str])| self::key(name) == key || others.contains(&key);
    VENDORS.iter().find(is).map(|(name, _)| *name)
}

fn host(key: &str) -> Option<(&'static str, Option<&'static str>)> {
    HOSTS
        .iter()
        .find(|(_, _, names)| names.contains(&key))
        .or_else(|| HOSTS.iter().find(|(name, ..)| *name == key))
        .map(|(name, home, _)| (*name, *home))
}

/// Under which providers a model is looked for, in this order.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sellers {
    pub(super) named: Vec<String>,
    /// Whether any other that alone has the model will do.
    pub(super) any: bool,
}

/// Who may sell a model: the provider, who makes it by its name, and, where the provider only passes on, anybody.
pub(super) fn sellers(provider: Option<&str>, maker: Option<&'static str>) -> Sellers {
    let mut named = Vec::new();
    let mut any = true;
    if let Some(provider) = provider {
        let given = key(provider);
        if let Some((name, home)) = host(&given) {
            named.push(name.to_owned());
            named.extend(maker.or(home).map(str::to_owned));
        } else {
            // Instrumentations tell the interface behind the provider: `openai.chat`.
            let first = key(provider.split('.').next().unwrap_or(provider));
            named.push(vendor(&given).or_else(|| vendor(&first)).map_or(given, str::to_owned));
            any = false;
        }
    }
    named.extend(maker.map(str::to_owned).filter(|maker| !named.contains(maker)));
    Sellers { named, any }
}

/// A model's name taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ModelName {
    /// Who makes it, if the name says so: `anthropic.claude-…`, `openai/gpt-…`.
    pub(super) maker: Option<&'static str>,
    /// What a table may call it, the most exact first.
    pub(super) keys: Vec<String>,
    /// Whether it was tuned for somebody, so that the price of what it was made of is not its own.
    pub(super) tuned: bool,
}

/// Takes a name apart.
pub(super) fn parse(model: &str) -> ModelName {
    let whole = model.trim().to_ascii_lowercase();
    let tuned = whole.starts_with("ft:");
    let (maker, base) = if tuned { (None, &*whole) } else { without_maker(&whole) };
    let mut keys = vec![key(&whole)];
    let mut add = |name: &str| {
        let key = key(name);
        if !name.is_empty() && !keys.contains(&key) {
            keys.push(key);
        }
    };
    add(base);
    let mut rest = if tuned { tuned_from(base) } else { base };
    add(rest);
    let whole = rest;
    while let Some(shorter) = without_version(rest) {
        rest = shorter;
        add(rest);
        // A preview that has a date costs what the model does unless it has prices of its own; one without may not.
        if let Some(model) = rest.strip_suffix("-preview").filter(|_| rest != whole) {
            rest = model;
            add(rest);
        }
    }
    ModelName { maker, keys, tuned }
}

/// Without what stands before the model's own name: a path, a region, the maker.
fn without_maker(name: &str) -> (Option<&'static str>, &str) {
    let mut maker = None;
    let mut base = name;
    if let Some((path, last)) = name.rsplit_once('/') {
        maker = path.rsplit(['/', ':']).find_map(|part| vendor(&key(part)));
        base = last;
    }
    while let Some((head, rest)) = base.split_once('.') {
        match vendor(head) {
            Some(name) => maker = Some(name),
            None if REGIONS.contains(&head) => {}
            None => break,
        }
        base = rest;
    }
    (maker, base)
}

/// The tuned model's first two parts: `ft:gpt-4o-mini` of `ft:gpt-4o-mini:acme::1`.
fn tuned_from(name: &str) -> &str {
    let end = name.char_indices().filter(|(_, c)| *c == ':').nth(1).map_or(name.len(), |(at, _)| at);
    &name[..end]
}

/// Without its last date or version, if it has one.
fn without_version(name: &str) -> Option<&str> {
    if let Some((rest, revision)) = name.rsplit_once(':').filter(|(rest, _)| *rest != "ft") {
        // Any other word behind a colon is a way of serving with a price of its own: `:free`.
        return digits(revision.trim_end_matches('k')).then_some(rest);
    }
    if let Some(rest) = name.strip_suffix("-latest") {
        return Some(rest);
    }
    let (rest, last) = name.rsplit_once(['-', '@'])?;
    let version = last.strip_prefix('v').is_some_and(|number| number.len() <= 2 && digits(number));
    if version {
        return Some(rest);
    }
    without_date(rest, last)
}

/// What stands before a date that ends in `last`.
fn without_date<'a>(rest: &'a str, last: &str) -> Option<&'a str> {
    if !digits(last) {
        return None;
    }
    let before = rest.rsplit_once('-').filter(|(_, part)| digits(part));
    match (last.len(), before) {
        // 2024-07-18
        (2, Some((rest, month))) if month.len() == 2 => match rest.rsplit_once('-') {
            Some((rest, year)) if year.len() == 4 && digits(year) => Some(rest),
            // preview-05-06
            _ => rest.ends_with("-preview").then_some(rest),
        },
        // 03-2025
        (4, Some((rest, month))) if month.len() == 2 && last.starts_with("20") => Some(rest),
        // 20241022, 0613, 001
        (8, _) if last.starts_with("20") => Some(rest),
        (3 | 4, _) => Some(rest),
        _ => None,
    }
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether the second name is the first without a date or version.
pub(super) fn is_base_of(dated: &str, base: &str) -> bool {
    parse(dated).keys[1..].contains(&key(base))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn base(model: &str, maker: Option<&str>, last: &str) {
        let name = parse(model);
        assert_eq!((name.maker, name.keys.last().map(String::as_str)), (maker, Some(last)), "{name:?}");
        assert_eq!(name.keys[0], key(model), "the exact name comes first");
    }

    #[test]
    fn names_lose_their_makers_regions_dates_and_versions() {
        base("gpt-4o-mini-2024-07-18", None, "gpt-4o-mini");
        base("GPT-4.1", None, "gpt-4-1");
        base("gpt-4-0613", None, "gpt-4");
        base("claude-3-5-sonnet-20241022", None, "claude-3-5-sonnet");
        base("claude-3-5-sonnet@20240620", None, "claude-3-5-sonnet");
        base("claude-3-5-sonnet-v2@20241022", None, "claude-3-5-sonnet");
        base("claude-3.7-sonnet-latest", None, "claude-3-7-sonnet");
        base("anthropic/claude-3.5-sonnet", Some("anthropic"), "claude-3-5-sonnet");
        base("us.anthropic.claude-sonnet-4-5-20250929-v1:0", Some("anthropic"), "claude-sonnet-4-5");
        base("amazon.nova-pro-v1:0:300k", Some("amazon"), "nova-pro");
        base(
            "arn:aws:bedrock:us-east-1:1:inference-profile/eu.mistral.mistral-large-2407-v1:0",
            Some("mistral_ai"),
            "mistral-large",
        );
        base("models/gemini-1.5-pro-002", None, "gemini-1-5-pro");
        base("publishers/google/models/gemini-2.0-flash-001", Some("google"), "gemini-2-0-flash");
        base("gemini-2.5-pro-preview-05-06", None, "gemini-2-5-pro");
        base("gemini-2.5-flash-preview-09-2025", None, "gemini-2-5-flash");
        base("command-a-03-2025", None, "command-a");
        base("x-ai/grok-2-1212", Some("x_ai"), "grok-2");
    }

    #[test]
    fn a_dated_preview_is_the_preview_first() {
        let keys = parse("gpt-4o-audio-preview-2024-12-17").keys;
        assert_eq!(keys[1..], ["gpt-4o-audio-preview", "gpt-4o-audio"]);
        let keys = parse("gemini-2.5-flash-preview-09-2025").keys;
        assert_eq!(keys[1..], ["gemini-2-5-flash-preview", "gemini-2-5-flash"]);
        assert_eq!(parse("gemini-3-pro-preview").keys.len(), 1, "one without a date keeps its name");
    }

    #[test]
    fn what_has_a_price_of_its_own_keeps_its_name() {
        for name in ["deepseek/deepseek-chat:free", "gpt-4o", "o3", "text-embedding-3-small", "llama-3-70b"] {
            let parsed = parse(name);
            let last = name.rsplit('/').next().unwrap();
            assert_eq!(parsed.keys.last(), Some(&key(last)), "{parsed:?}");
        }
        let tuned = parse("ft:gpt-4o-mini-2024-07-18:acme::x1");
        assert!(tuned.tuned);
        assert_eq!(tuned.keys[1..], ["ft:gpt-4o-mini-2024-07-18", "ft:gpt-4o-mini"]);
        assert_eq!(parse("").keys, [""]);
    }

    #[test]
    fn providers_have_one_spelling() {
        for (given, known) in [
            ("OpenAI", "openai"),
            ("mistral", "mistral_ai"),
            ("xai", "x_ai"),
            ("gcp.gemini", "google"),
            ("vertex_ai", "gcp.vertex_ai"),
            ("azure.ai.openai", "azure.ai.openai"),
            ("acme", "acme"),
        ] {
            assert_eq!(provider(given), known);
        }
        let named = |given, maker| sellers(given, maker).named;
        assert_eq!(named(Some("openai.responses"), None), ["openai"]);
        assert_eq!(named(Some("aws.bedrock"), Some("anthropic")), ["aws.bedrock", "anthropic"]);
        assert_eq!(named(Some("azure"), None), ["azure.ai.openai", "openai"]);
        assert_eq!(named(Some("openai"), Some("anthropic")), ["openai", "anthropic"]);
        assert_eq!(sellers(Some("ollama"), None), Sellers { named: vec!["ollama".into()], any: false });
        assert!(sellers(None, None).any && sellers(Some("openrouter"), None).any);
    }
}
