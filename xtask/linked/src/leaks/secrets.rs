//! A secret of every built-in format, and secrets that count by the name before them.

use std::collections::BTreeSet;

/// What every secret is filled with: letters and digits that are hexadecimal too.
const CANARY: &[u8] = b"5ec2e7d09a";

/// What is looked for: the canary as it is planted in either case.
pub(super) const NEEDLES: [&str; 2] = ["5ec2e7d09a", "5EC2E7D09A"];

/// The names of formats and secrets of them; `~9` stands for nine letters of the canary over and over, `^9` for nine in upper
/// case.
const FORMATS: &[(&str, &str)] = &[
    ("anthropic", "sk-ant-api03-~93AA"),
    ("openai", "sk-proj-~48"),
    ("langfuse", "sk-lf-~8-~4-~4-~4-~12"),
    ("langfuse", "pk-lf-~8-~4-~4-~4-~12"),
    ("langsmith", "lsv2_pt_~32_~10"),
    ("langsmith-old", "ls__~32"),
    ("braintrust-service", "bt-st-~30"),
    ("aws-access-key", "AKIA^16"),
    ("google-api-key", "AIza~35"),
    ("google-oauth", "ya29.~40"),
    ("google-client-secret", "GOCSPX-~28"),
    ("github", "ghp_~36"),
    ("github-fine-grained", "github_pat_~22_~59"),
    ("gitlab", "glpat-~20"),
    ("gitlab-other", "glrt-~20"),
    ("slack", "xoxb-~12-~24"),
    ("slack-app", "xapp-1-^11-~64"),
    ("slack-webhook", "https://hooks.slack.com/services/^10/^11/~24"),
    ("huggingface", "hf_~34"),
    ("grafana-cloud", "glc_~80=="),
    ("grafana-service-account", "glsa_~32_~8"),
    ("newrelic-user", "NRAK-^27"),
    ("newrelic-insert", "NRII-~32"),
    ("newrelic-licence", "~36NRAL"),
    ("stripe", "sk_live_~24"),
    ("webhook-secret", "whsec_~32"),
    ("groq", "gsk_~52"),
    ("xai", "xai-~80"),
    ("perplexity", "pplx-~48"),
    ("replicate", "r8_~37"),
    ("nvidia", "nvapi-~64"),
    ("tavily", "tvly-~32"),
    ("npm", "npm_~36"),
    ("pypi", "pypi-~80"),
    ("docker", "dckr_pat_~27"),
    ("digitalocean", "dop_v1_~64"),
    ("sendgrid", "SG.~22.~43"),
    ("databricks", "dapi~32"),
    ("vault", "hvs.~90"),
    ("shopify", "shpat_~32"),
    ("fireworks", "fw_~24"),
    ("together", "tgp_v1_~43"),
    ("cerebras", "csk-~48"),
    ("elevenlabs", "sk_~48"),
    ("pinecone", "pcsk_~6_~60"),
    ("firecrawl", "fc-~32"),
    ("posthog-personal", "phx_~43"),
    ("sentry", "sntrys_~60"),
    ("honeycomb", "hcaik_~58"),
    ("axiom", "xaat-~8-~4-~4-~4-~12"),
    ("dynatrace", "dt0c01.^24.^64"),
    ("notion", "ntn_~46"),
    ("linear", "lin_api_~40"),
    ("figma", "figd_~44"),
    ("postman", "PMAK-~24-~34"),
    ("atlassian", "ATATT3~60"),
    ("doppler", "dp.pt.~43"),
    ("planetscale", "pscale_tkn_~43"),
    ("supabase", "sbp_~40"),
    ("heroku", "HRKU-~8-~4-~4-~4-~12"),
    ("crates-io", "cio~32"),
    ("rubygems", "rubygems_~48"),
    ("alibaba", "LTAI~20"),
    ("azure-client-secret", "~4Q~~34"),
    ("age", "AGE-SECRET-KEY-1^58"),
    ("jwt", "eyJ~20.~30.~30"),
    ("private-key", "-----BEGIN RSA PRIVATE KEY-----\n~64\n~64\n-----END RSA PRIVATE KEY-----"),
    ("bearer", "Authorization: Bearer ~20"),
    ("url-password", "postgres://app:~20@db:5432/app"),
    ("url-user-token", "https://~32@o1.example.com/2"),
    ("url-signature", "https://a.example.com/b?sv=1&sig=~44"),
    ("command-line", "mytool --token ~20 --verbose"),
];

/// Secrets that count by the name before them.
const NAMED: &[&str] = &[
    "password=~10",
    "export DB_PASSWORD=~12",
    r#"{"auth":{"v":"~10"},"n":1.5}"#,
    r#"{"openaiApiKey":"~12","m":[{"name":"Authorization","value":"~10"}]}"#,
    "Cookie: sid=~12; theme=~10",
    r#"said: {"client_secret": "~12"} and went"#,
    "x-api-key: ~16",
    "Authorization: Basic ~16==",
];

/// All of them.
pub(super) fn secrets() -> Vec<String> {
    FORMATS.iter().map(|(_, template)| *template).chain(NAMED.iter().copied()).map(filled).collect()
}

/// The built-in formats that have no secret here.
pub(super) fn missing() -> BTreeSet<&'static str> {
    let here: BTreeSet<_> = FORMATS.iter().map(|(name, _)| *name).collect();
    obs_redact::formats().filter(|name| !here.contains(name)).collect()
}

fn filled(template: &str) -> String {
    let mut out = String::new();
    let mut rest = template;
    let mut canary = CANARY.iter().cycle().map(|byte| char::from(*byte));
    while let Some(at) = rest.find(['~', '^']) {
        let (before, fill) = rest.split_at(at);
        out.push_str(before);
        let digits = fill[1..].bytes().take_while(u8::is_ascii_digit).count();
        let count = fill[1..=digits].parse().unwrap_or(0);
        let letters = canary.by_ref().take(count);
        if fill.starts_with('^') {
            out.extend(letters.map(|letter| letter.to_ascii_uppercase()));
        } else {
            out.extend(letters);
        }
        if digits == 0 {
            out.push_str(&fill[..1]);
        }
        rest = &fill[1 + digits..];
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_secret_has_the_canary_and_is_redacted_to_the_last_of_it() {
        let redactor = obs_redact::Redactor::default();
        for secret in secrets() {
            let has = |text: &str| NEEDLES.iter().any(|needle| text.contains(needle));
            assert!(has(&secret), "{secret}");
            assert!(!has(&redactor.redact_text(&secret)), "{secret}");
        }
        assert_eq!(missing(), BTreeSet::new());
    }
}
