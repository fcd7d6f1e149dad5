//! Bodies: what stands around the records, and what a record is in them.

use std::fmt;

use obs_core::{SCHEMA_VERSION, Signal, write_json};
use serde::de::IgnoredAny;
use url::form_urlencoded::byte_serialize;

use crate::record::{Entry, line};
use crate::{Format, Shape, WebhookConfig};

/// How bodies are made.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Bodies {
    format: Format,
    shape: Shape,
    /// What stands before the JSON of a form: other fields, which may be credentials, and the name of its own.
    form: Vec<u8>,
}

/// Shows no field of a form.
impl fmt::Debug for Bodies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bodies")
            .field("format", &self.format)
            .field("shape", &self.shape)
            .finish_non_exhaustive()
    }
}

/// What stands around and between the records of a body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Frame {
    start: Vec<u8>,
    between: Vec<u8>,
    end: Vec<u8>,
}

impl Frame {
    /// How many bytes it has without any record.
    pub(crate) fn len(&self) -> usize {
        self.start.len() + self.end.len()
    }

    /// How many bytes stand between two records.
    pub(crate) fn gap(&self) -> usize {
        self.between.len()
    }

    /// The body of these records.
    pub(crate) fn around(&self, pieces: &[Vec<u8>]) -> Vec<u8> {
        let mut body = self.start.clone();
        for (at, piece) in pieces.iter().enumerate() {
            if at > 0 {
                body.extend_from_slice(&self.between);
            }
            body.extend_from_slice(piece);
        }
        body.extend_from_slice(&self.end);
        body
    }
}

/// Whether a text may be the value of `Content-Type`.
pub(crate) fn is_type(text: &str) -> bool {
    !text.trim().is_empty() && text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic())
}

impl Bodies {
    pub(crate) fn of(config: &WebhookConfig) -> Self {
        let mut form = Vec::new();
        let mut push = |text: &str, end: u8| {
            form.extend(byte_serialize(text.as_bytes()).flat_map(str::bytes));
            form.push(end);
        };
        for (name, value) in &config.form_fields {
            push(name, b'=');
            push(value.expose(), b'&');
        }
        push(&config.form_field, b'=');
        Self { format: config.format, shape: config.shape, form }
    }

    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// What stands around the records of a signal.
    pub(crate) fn frame(&self, signal: Signal) -> Frame {
        let (start, between, end) = match (self.format, self.shape) {
            (Format::Ndjson, _) | (Format::Json | Format::Form, Shape::Record) => (String::new(), "", ""),
            (Format::Text, _) => (String::new(), "\n", ""),
            (_, Shape::Array) => ("[".to_owned(), ",", "]"),
            (_, Shape::Object) => {
                (format!("{{\"v\":{SCHEMA_VERSION},\"signal\":\"{signal}\",\"records\":["), ",", "]}")
            }
        };
        let frame = |text: &str| self.written(text.as_bytes());
        let mut framed = Frame { start: frame(&start), between: frame(between), end: frame(end) };
        if self.format == Format::Form {
            framed.start.splice(0..0, self.form.iter().copied());
        }
        framed
    }

    /// A record as it stands in a body.
    ///
    /// # Errors
    /// Why it has no JSON.
    pub(crate) fn piece<T: Entry>(&self, record: &T) -> Result<Vec<u8>, String> {
        if self.format == Format::Ndjson || self.shape == Shape::Record {
            return line(record).map(|line| self.ended(self.written(&line)));
        }
        let mut json = Vec::new();
        write_json(&mut json, record).map_err(|cause| cause.to_string())?;
        Ok(self.written(&json))
    }

    /// What a template made of one record, as it stands in a body.
    ///
    /// # Errors
    /// Why it cannot.
    pub(crate) fn made_piece(&self, made: Vec<u8>) -> Result<Vec<u8>, String> {
        let mut made = self.checked(made, None, 1)?;
        if self.format == Format::Ndjson {
            // Outside of texts a line break is a space, and inside of them JSON has none.
            made.iter_mut().filter(|byte| matches!(byte, b'\n' | b'\r')).for_each(|byte| *byte = b' ');
        }
        Ok(self.ended(self.written(&made)))
    }

    /// What was made of all records of a request, as its body.
    ///
    /// # Errors
    /// Why it cannot.
    pub(crate) fn made_body(&self, made: Vec<u8>, content_type: Option<&str>) -> Result<Vec<u8>, String> {
        let made = self.checked(made, content_type, usize::MAX)?;
        if self.format != Format::Form {
            return Ok(made);
        }
        let mut body = self.form.clone();
        body.extend(self.written(&made));
        Ok(body)
    }

    /// What was made, held to be what the body says it is; `lines` is how many lines of JSON it may be.
    fn checked(&self, made: Vec<u8>, content_type: Option<&str>, lines: usize) -> Result<Vec<u8>, String> {
        if made.trim_ascii().is_empty() {
            return Err("nothing was made of it; choose records before, by the lane's route".to_owned());
        }
        let is_json = self.format != Format::Text && content_type.is_none_or(|given| given.contains("json"));
        let json = |json: &[u8]| {
            let read = serde_json::from_slice::<IgnoredAny>(json);
            read.map(drop).map_err(|cause| format!("what was made of it is no JSON: {cause}"))
        };
        match self.format {
            Format::Ndjson if is_json && lines > 1 => {
                made.split(|byte| *byte == b'\n')
                    .filter(|line| !line.trim_ascii().is_empty())
                    .try_for_each(json)?;
            }
            _ if is_json => json(&made)?,
            _ => {}
        }
        Ok(made)
    }

    /// Bytes as they stand in a body of this format.
    fn written(&self, bytes: &[u8]) -> Vec<u8> {
        match self.format {
            Format::Form => byte_serialize(bytes).flat_map(str::bytes).collect(),
            Format::Json | Format::Ndjson | Format::Text => bytes.to_vec(),
        }
    }

    /// A piece with the end that its format gives each.
    fn ended(&self, mut piece: Vec<u8>) -> Vec<u8> {
        if self.format == Format::Ndjson {
            piece.push(b'\n');
        }
        piece
    }
}
