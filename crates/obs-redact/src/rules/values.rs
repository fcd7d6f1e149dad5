//! Formats of secrets that are recognised by their value alone.

/// What else a match has to show before it counts as a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof {
    /// The expression is exact enough.
    Shape,
    /// At least one letter and one digit, so that hyphenated words do not count.
    Mixed,
    /// A full stop between parts, which the expression leaves open so that what it matches ends where the run does.
    Parts,
    /// What follows `Bearer`: anything but a plain word of prose.
    Credential,
}

/// One format of secret.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ValueRule {
    pub(crate) name: &'static str,
    /// Literals, at least one of which stands at the start of every match, compared without regard to ASCII case.
    pub(crate) anchors: &'static [&'static str],
    /// How many bytes of the match stand before the anchor.
    pub(crate) lead: usize,
    /// The match must not continue a word.
    pub(crate) boundary: bool,
    /// An expression for the whole match; its first group, if it has one, is what is replaced.
    pub(crate) regex: &'static str,
    pub(crate) proof: Proof,
}

const fn rule(name: &'static str, anchors: &'static [&'static str], regex: &'static str) -> ValueRule {
    ValueRule { name, anchors, lead: 0, boundary: true, regex, proof: Proof::Shape }
}

const fn mixed(name: &'static str, anchors: &'static [&'static str], regex: &'static str) -> ValueRule {
    ValueRule { proof: Proof::Mixed, ..rule(name, anchors, regex) }
}

const fn inside(name: &'static str, anchors: &'static [&'static str], regex: &'static str) -> ValueRule {
    ValueRule { boundary: false, ..rule(name, anchors, regex) }
}

/// The formats, one row each. Anchors are chosen to be rare in prose and code: the scan costs nothing but for them.
pub(crate) const VALUE_RULES: &[ValueRule] = &[
    rule("anthropic", &["sk-ant-"], "sk-ant-[A-Za-z0-9_-]{16,}"),
    mixed("openai", &["sk-"], "sk-(?:proj-|svcacct-|admin-|None-|or-v1-)?[A-Za-z0-9_-]{20,}"),
    rule(
        "langfuse",
        &["sk-lf-", "pk-lf-"],
        "[sp]k-lf-[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}",
    ),
    rule("langsmith", &["lsv2_"], "lsv2_(?:pt|sk)_[0-9a-fA-F]{32}_[0-9a-fA-F]{10}"),
    rule("langsmith-old", &["ls__"], "ls__[0-9a-fA-F]{32}"),
    mixed("braintrust-service", &["bt-st-"], "bt-st-[A-Za-z0-9]{20,}"),
    rule(
        "aws-access-key",
        &["akia", "asia", "abia", "acca", "a3t"],
        r"(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?-u:\b)",
    ),
    rule("google-api-key", &["aiza"], "AIza[A-Za-z0-9_-]{35}"),
    mixed("google-oauth", &["ya29."], r"ya29\.[A-Za-z0-9_-]{20,}"),
    rule("google-client-secret", &["gocspx-"], "GOCSPX-[A-Za-z0-9_-]{28}"),
    rule("github", &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"], "gh[pousr]_[A-Za-z0-9]{36,}"),
    rule("github-fine-grained", &["github_pat_"], "github_pat_[A-Za-z0-9_]{22,}"),
    rule("gitlab", &["glpat-"], "glpat-[A-Za-z0-9_-]{20,}"),
    mixed("slack", &["xox"], r"xox[abeoprs](?:\.xox[a-z])?-[A-Za-z0-9-]{10,}"),
    mixed("slack-app", &["xapp-"], "xapp-[0-9]-[A-Za-z0-9-]{10,}"),
    inside(
        "slack-webhook",
        &["hooks.slack.com/"],
        "hooks.slack.com/(?:services|workflows|triggers)/([A-Za-z0-9+/]{40,})",
    ),
    rule("huggingface", &["hf_"], "hf_[A-Za-z0-9]{30,}"),
    rule("grafana-cloud", &["glc_"], "glc_[A-Za-z0-9+/]{32,}={0,2}"),
    rule("grafana-service-account", &["glsa_"], "glsa_[A-Za-z0-9]{32}_[A-Fa-f0-9]{8}"),
    rule("newrelic-user", &["nrak-"], "NRAK-[A-Za-z0-9]{27}"),
    rule("newrelic-insert", &["nrii-"], "NRII-[A-Za-z0-9_-]{32}"),
    ValueRule { lead: 36, ..rule("newrelic-licence", &["nral"], r"[A-Za-z0-9]{36}NRAL(?-u:\b)") },
    rule(
        "stripe",
        &["sk_live_", "sk_test_", "sk_prod_", "rk_live_", "rk_test_", "rk_prod_"],
        "[sr]k_(?:live|test|prod)_[A-Za-z0-9]{10,}",
    ),
    rule("webhook-secret", &["whsec_"], "whsec_[A-Za-z0-9+/=]{20,}"),
    mixed("groq", &["gsk_"], "gsk_[A-Za-z0-9]{20,}"),
    mixed("xai", &["xai-"], "xai-[A-Za-z0-9]{40,}"),
    mixed("perplexity", &["pplx-"], "pplx-[A-Za-z0-9]{40,}"),
    mixed("replicate", &["r8_"], "r8_[A-Za-z0-9]{30,}"),
    mixed("nvidia", &["nvapi-"], "nvapi-[A-Za-z0-9_-]{40,}"),
    mixed("tavily", &["tvly-"], "tvly-[A-Za-z0-9_-]{20,}"),
    rule("npm", &["npm_"], "npm_[A-Za-z0-9]{36}"),
    mixed("pypi", &["pypi-"], "pypi-[A-Za-z0-9_-]{40,}"),
    mixed("docker", &["dckr_pat_"], "dckr_pat_[A-Za-z0-9_-]{20,}"),
    rule("digitalocean", &["dop_v1_"], "dop_v1_[0-9a-f]{64}"),
    mixed("sendgrid", &["sg."], r"SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"),
    rule("databricks", &["dapi"], "dapi[0-9a-f]{32}"),
    mixed("vault", &["hvs."], r"hvs\.[A-Za-z0-9_-]{24,}"),
    rule("shopify", &["shpat_", "shpss_"], "shp(?:at|ss)_[0-9a-fA-F]{32}"),
    mixed("fireworks", &["fw_"], "fw_[A-Za-z0-9]{22,}"),
    mixed("together", &["tgp_v1_"], "tgp_v1_[A-Za-z0-9_-]{30,}"),
    mixed("cerebras", &["csk-"], "csk-[A-Za-z0-9]{40,}"),
    mixed("elevenlabs", &["sk_"], "sk_[0-9a-f]{48}"),
    mixed("pinecone", &["pcsk_"], "pcsk_[A-Za-z0-9_]{40,}"),
    mixed("firecrawl", &["fc-"], "fc-[0-9a-f]{32}"),
    mixed("posthog-personal", &["phx_"], "phx_[A-Za-z0-9]{40,}"),
    mixed("sentry", &["sntrys_", "sntryu_"], "sntry[su]_[A-Za-z0-9+/=_-]{40,}"),
    mixed("honeycomb", &["hcaik_", "hcxik_", "hcamk_"], "hc(?:aik|xik|amk)_[A-Za-z0-9]{20,}"),
    mixed("axiom", &["xaat-", "xapt-"], "xa[ap]t-[0-9a-f-]{36}"),
    mixed("dynatrace", &["dt0c01."], r"dt0[a-z][0-9]{2}\.[A-Z0-9]{24}\.[A-Z0-9]{64}"),
    mixed("notion", &["ntn_"], "ntn_[A-Za-z0-9]{40,}"),
    mixed("linear", &["lin_api_", "lin_oauth_"], "lin_(?:api|oauth)_[A-Za-z0-9]{32,}"),
    mixed("figma", &["figd_"], "figd_[A-Za-z0-9_-]{40,}"),
    mixed("postman", &["pmak-"], "PMAK-[0-9a-f]{24}-[0-9a-f]{34}"),
    mixed("atlassian", &["atatt3"], "ATATT3[A-Za-z0-9_=-]{40,}"),
    mixed("doppler", &["dp.pt.", "dp.st.", "dp.ct."], r"dp\.[psc]t\.(?:[a-z0-9_-]+\.)?[A-Za-z0-9]{40,}"),
    mixed("planetscale", &["pscale_"], r"pscale_(?:tkn|pw|oauth)_[A-Za-z0-9_.=-]{32,}"),
    mixed("supabase", &["sbp_", "sb_secret_"], "sb(?:p|_secret)_[A-Za-z0-9_-]{30,}"),
    mixed("heroku", &["hrku-"], "HRKU-[A-Za-z0-9_-]{36,}"),
    mixed("crates-io", &["cio"], "cio[A-Za-z0-9]{32}(?-u:\\b)"),
    mixed("rubygems", &["rubygems_"], "rubygems_[0-9a-f]{48}"),
    mixed("alibaba", &["ltai"], "LTAI[A-Za-z0-9]{16,24}(?-u:\\b)"),
    mixed("gitlab-other", &["glrt-", "gldt-", "glptt-", "glcbt-"], "gl(?:rt|dt|ptt|cbt)-[A-Za-z0-9_-]{20,}"),
    ValueRule {
        lead: 4,
        ..mixed("azure-client-secret", &["q~"], r"[A-Za-z0-9_~.]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}")
    },
    rule("age", &["age-secret-key-1"], "AGE-SECRET-KEY-1[A-Z0-9]{58}"),
    ValueRule {
        proof: Proof::Parts,
        ..rule(
            "jwt",
            &["eyj"],
            r"eyJ[A-Za-z0-9_-]{10,}(?:\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*)?",
        )
    },
    inside(
        "private-key",
        &["-----begin "],
        r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----(?s:.*?)(?:-----END [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----|\z)",
    ),
    ValueRule {
        proof: Proof::Credential,
        ..rule("bearer", &["bearer "], "(?i:bearer) {1,4}([A-Za-z0-9._~+/=-]+)")
    },
    inside("url-password", &["://"], r#"://[^\s/?#@:"'<>\\`]*:([^\s/?#"'<>\\`]+)@"#),
    ValueRule { boundary: false, ..mixed("url-user-token", &["://"], "://([A-Za-z0-9_-]{20,})@") },
    ValueRule {
        boundary: false,
        ..mixed("url-signature", &["?sig=", "&sig="], "[?&]sig=([A-Za-z0-9%+/=_-]{30,})")
    },
    rule(
        "command-line",
        &["--password ", "--passwd ", "--token ", "--secret ", "--api-key ", "--apikey ", "--access-token "],
        r#"--[a-z-]+ +([^\s"'`$<\[{-][^\s"'`]*)"#,
    ),
];
