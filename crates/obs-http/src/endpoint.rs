//! The address of a backend.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::Uri;
use obs_core::{Error, Secret};
use obs_redact::Redactor;
use url::{Host, Url};

use crate::place::{keys, place, place_below, shown, with_scheme};
use crate::quote::is_secret;

/// A checked endpoint: `http` or `https`, a host, no user and password.
#[derive(Clone)]
pub(crate) struct Endpoint {
    base: Url,
}

impl Endpoint {
    /// Reads it; the error names the field and never repeats a user, password, key or query.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let refuse = |cause: String| Error::config("endpoint", cause);
        if text.trim().is_empty() {
            return Err(refuse("it is missing; set the backend's address, such as \"https://HOST\"".into()));
        }
        if text.chars().any(char::is_control) {
            return Err(refuse("it has a control character; remove it".into()));
        }
        let parsed = Url::parse(text.trim());
        let known = |url: &Url| matches!(url.scheme(), "http" | "https");
        if !parsed.as_ref().is_ok_and(known)
            && let Some(meant) = with_scheme(text).map(likely)
        {
            let meant = place(&meant);
            return Err(refuse(format!("it has no scheme; write \"{}\"", meant.trim_end_matches('/'))));
        }
        let mut base = parsed.map_err(|cause| {
            refuse(format!("\"{}\" is no address ({cause}); write \"https://HOST\"", shown(text)))
        })?;
        if !known(&base) {
            let shown = shown(text);
            return Err(refuse(format!(
                "\"{shown}\" has another scheme than http and https; write \"https://HOST\""
            )));
        }
        if !base.username().is_empty() || base.password().is_some() {
            let shown = place(&base);
            return Err(refuse(format!(
                "\"{shown}\" has a user or password before the host; remove them and set `auth`"
            )));
        }
        base.set_fragment(None);
        Ok(Self { base })
    }

    /// The address as it may be shown.
    pub(crate) fn place(&self) -> String {
        place(&self.base)
    }

    /// The address of a request as it may be shown.
    pub(crate) fn place_of(&self, url: &Url) -> String {
        place_below(&self.base, url)
    }

    pub(crate) fn is_https(&self) -> bool {
        self.base.scheme() == "https"
    }

    /// The address as the client below has it.
    pub(crate) fn uri(&self) -> Option<Uri> {
        self.base.as_str().parse().ok()
    }

    /// Whether the host is this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        is_loopback(&self.base)
    }

    /// Whether the host is an address of the link, where clouds serve the credentials of the machine.
    pub(crate) fn is_link_local(&self) -> bool {
        match self.base.host() {
            Some(Host::Domain(name)) => name.trim_end_matches('.') == "metadata.google.internal",
            Some(Host::Ipv4(ip)) => is_link_local(ip.into()),
            Some(Host::Ipv6(ip)) => is_link_local(ip.into()),
            None => false,
        }
    }

    /// Whether the query holds something named like a credential.
    pub(crate) fn has_secret_query(&self) -> bool {
        let redactor = Redactor::default();
        self.base.query_pairs().any(|(name, _)| redactor.name_is_sensitive(&name))
    }

    /// What of it is shown nowhere: the values of the query but short ones, and what of the path looks like a key.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = Secret> + '_ {
        let redactor = Redactor::default();
        let values = self.base.query_pairs().filter(move |(name, value)| is_secret(&redactor, name, value));
        values.map(|(_, value)| Secret::new(value)).chain(keys(self.base.path()).flat_map(written))
    }

    /// The address of a request: a path below the endpoint's, nothing for the endpoint itself, or a whole address
    /// under the same scheme, host and port.
    pub(crate) fn resolve(&self, target: &str) -> Result<Url, String> {
        if target.contains("://") {
            let url = Url::parse(target)
                .map_err(|cause| format!("\"{}\" is no address ({cause})", shown(target)))?;
            if url.origin() != self.base.origin() || !url.username().is_empty() || url.password().is_some() {
                let (there, here) = (place(&url), self.place());
                return Err(format!("\"{there}\" is not below \"{here}\"; requests go to the endpoint only"));
            }
            return Ok(url);
        }
        let mut url = self.base.clone();
        let (path, query) =
            target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
        let path = path.trim_start_matches('/');
        if !path.is_empty() {
            let joined = format!("{}/{path}", self.base.path().trim_end_matches('/'));
            url.set_path(&joined);
        }
        if let Some(query) = query {
            let joined = match self.base.query() {
                Some(before) if !before.is_empty() => format!("{before}&{query}"),
                _ => query.to_owned(),
            };
            url.set_query(Some(&joined));
        }
        Ok(url)
    }
}

/// A backend's address under the scheme it most likely has: `http` on this machine and under a name without a dot, as
/// containers have, else `https`.
fn likely(url: Url) -> Url {
    let near = is_loopback(&url) || !url.host_str().unwrap_or_default().contains('.');
    let mut secure = url.clone();
    if !near && secure.set_scheme("https").is_ok() { secure } else { url }
}

/// Whether an address is one of this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            name == "localhost" || name.ends_with(".localhost")
        }
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => unmapped(ip).is_loopback(),
        None => false,
    }
}

/// A part of an address as it is written there, and as it is meant.
pub(crate) fn written(part: &str) -> impl Iterator<Item = Secret> {
    let meant: Vec<String> = url::form_urlencoded::parse(format!("={}", part.replace('+', "%2B")).as_bytes())
        .map(|(_, value)| value.into())
        .collect();
    std::iter::once(part.to_owned()).chain(meant).map(Secret::new)
}

/// Whether clouds may serve a machine's credentials there: 169.254.0.0/16, fe80::/10 and fd00:ec2::254.
pub(crate) fn is_link_local(ip: IpAddr) -> bool {
    const AWS: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
    match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => match unmapped(ip) {
            IpAddr::V4(ip) => Ipv4Addr::is_link_local(&ip),
            IpAddr::V6(ip) => ip == AWS || ip.is_unicast_link_local(),
        },
    }
}

/// The version 4 address inside of a version 6 one, if it is one.
fn unmapped(ip: Ipv6Addr) -> IpAddr {
    ip.to_ipv4_mapped().map_or(IpAddr::V6(ip), IpAddr::V4)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(text: &str) -> Endpoint {
        Endpoint::parse(text).unwrap()
    }

    #[test]
    fn paths_go_below_the_endpoint_and_keep_its_query() {
        for (base, target, url) in [
            ("https://h", "/v1/traces", "https://h/v1/traces"),
            ("https://h/", "v1/traces", "https://h/v1/traces"),
            ("https://h/otlp/", "/v1/traces?a=1", "https://h/otlp/v1/traces?a=1"),
            ("https://h/hook?t=1#f", "", "https://h/hook?t=1"),
            ("https://h/hook?t=1", "x?a=2", "https://h/hook/x?t=1&a=2"),
            ("https://h:8443/a", "https://h:8443/b", "https://h:8443/b"),
        ] {
            assert_eq!(endpoint(base).resolve(target).unwrap().as_str(), url);
        }
    }

    #[test]
    fn law_6_a_request_leaves_the_endpoints_origin_never() {
        for target in ["https://other/b", "http://h/b", "https://h:444/b", "https://u:p@h/b"] {
            let said = endpoint("https://h/a").resolve(target).unwrap_err();
            assert!(said.contains("requests go to the endpoint only") && !said.contains("u:p"), "{said}");
        }
    }

    #[test]
    fn hosts_of_this_machine_and_of_the_link_are_known() {
        for host in [
            "localhost",
            "LOCALHOST.",
            "a.localhost",
            "127.0.0.1",
            "127.9.9.9",
            "2130706433",
            "[::1]",
            "[::ffff:127.0.0.1]",
        ] {
            assert!(endpoint(&format!("http://{host}:1")).is_loopback(), "{host}");
        }
        for host in ["localhost.example.com", "128.0.0.1", "[::2]", "0.0.0.0"] {
            assert!(!endpoint(&format!("http://{host}")).is_loopback(), "{host}");
        }
        for host in [
            "169.254.169.254",
            "0xa9fea9fe",
            "[fd00:ec2::254]",
            "[fe80::1]",
            "[::ffff:169.254.1.1]",
            "metadata.google.internal",
        ] {
            assert!(endpoint(&format!("http://{host}")).is_link_local(), "{host}");
        }
        assert!(!endpoint("http://10.0.0.1").is_link_local());
    }

    #[test]
    fn law_6_a_forgotten_scheme_is_added_to_what_may_be_shown() {
        for (text, written) in [
            ("localhost:4318", Some("http://localhost:4318")),
            (" 127.0.0.1:4318/v1 ", Some("http://127.0.0.1:4318/v1")),
            ("[::1]:4318", Some("http://[::1]:4318")),
            ("collector:4318", Some("http://collector:4318")),
            ("api.example.com", Some("https://api.example.com")),
            ("u:hunter2@api.example.com:8443", Some("https://api.example.com:8443")),
            ("api.example.com/hooks/hunter2", Some("https://api.example.com/…")),
            ("u:hunter2@h/p:99", None),
            ("u:12345#x@h:99", None),
            ("hunter2:4318", None),
            ("u:hunter2", None),
            ("ftp://localhost:21", None),
        ] {
            let said = Endpoint::parse(text).map(|_| ()).unwrap_err().to_string();
            assert!(!said.contains("hunter2") && !said.contains("12345"), "{text:?}: {said}");
            let hint = written.map(|written| format!("it has no scheme; write \"{written}\""));
            assert_eq!(hint.is_some_and(|hint| said.contains(&hint)), written.is_some(), "{text:?}: {said}");
        }
    }

    #[test]
    fn law_6_a_refused_endpoint_is_named_without_its_secrets() {
        for text in [
            "https://user:hunter2@h/p?token=hunter2",
            "https://hunter2@h",
            "user:hunter2@h:99",
            "ftp://user:hunter2@h/p",
            "https://user:hunter2@h:port/p",
            "https://user:hunter2@/p?hunter2#hunter2",
            "https://h/\nhunter2",
            "https://user@h/hooks/hunter2",
            "h/hooks/hunter2",
            "ftp://h/hooks/hunter2?a",
            "//h:99/hunter2",
            "",
        ] {
            let said = Endpoint::parse(text).map(|_| ()).unwrap_err().to_string();
            assert!(said.starts_with("endpoint: ") && !said.contains("hunter2"), "{text:?}: {said}");
        }
    }
}
