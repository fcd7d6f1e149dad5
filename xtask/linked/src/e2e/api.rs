//! The reading side of the backends.

use anyhow::{Context, Result, anyhow};
use obs_core::units::Bytes;
use obs_http::{Body, Client, HttpConfig, Policy, Request};
use serde_json::Value;

/// The longest answer that is read.
const MOST: Bytes = Bytes::new(256 << 20);

/// An address on the loopback.
#[derive(Debug)]
pub(crate) struct Api {
    client: Client,
    base: String,
}

impl Api {
    pub(crate) fn on(port: u16) -> Result<Self> {
        let base = format!("http://127.0.0.1:{port}");
        let client = Client::new(&HttpConfig::new(base.clone()).with_max_answer(MOST))
            .map_err(|error| anyhow!("{error}"))?;
        Ok(Self { client, base })
    }

    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// Whether the address answers with success.
    pub(crate) async fn answers(&self, target: &str) -> bool {
        self.text(Request::get(target)).await.is_ok()
    }

    pub(crate) async fn json(&self, target: &str) -> Result<Value> {
        let text = self.text(Request::get(target)).await.with_context(|| target.to_owned())?;
        serde_json::from_str(&text).with_context(|| format!("{target}: the answer is no JSON: {text:.200}"))
    }

    /// A question as a form, which has room for any query.
    pub(crate) async fn ask(&self, target: &str, fields: &[(&str, &str)]) -> Result<Value> {
        let words = fields.iter().map(|(name, value)| format!("{name}={}", escaped(value)));
        let body = Body::plain(words.collect::<Vec<_>>().join("&").into_bytes());
        let form = "application/x-www-form-urlencoded";
        let text = self.text(Request::post(target).with_content_type(form).with_body(body)).await?;
        serde_json::from_str(&text).with_context(|| format!("{target}: the answer is no JSON: {text:.200}"))
    }

    /// A page in a form that is asked for.
    pub(crate) async fn page(&self, target: &str, accept: &str) -> Result<String> {
        self.text(Request::get(target).with_header("accept", accept)).await
    }

    /// What the answer says, whatever form it has.
    pub(crate) async fn text(&self, request: Request) -> Result<String> {
        let answer = self.client.send(&request, &Policy::DEFAULT).await;
        let answer = answer.map_err(|failure| anyhow!("{}", failure.message))?;
        let body = answer.whole().map_err(|failure| anyhow!("{}", failure.message))?;
        Ok(String::from_utf8_lossy(body).into_owned())
    }
}

/// Text as a form has it.
fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
    let one = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_goes_through_a_form_unchanged() {
        assert_eq!(escaped("sum(a_b{c=\"é&\"})"), "sum%28a_b%7Bc%3D%22%C3%A9%26%22%7D%29");
    }
}
