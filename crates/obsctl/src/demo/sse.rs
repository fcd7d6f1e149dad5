//! Server-sent events: bytes as they come off the network into the data of whole events.

/// Takes chunks of any cut and gives back the data of complete events.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    line: Vec<u8>,
    data: Option<String>,
    after_return: bool,
}

impl Decoder {
    /// The data of the events that `chunk` completes, in order.
    ///
    /// Lines end with `\n`, `\r\n` or `\r`; fields but `data` and comments are skipped.
    pub(crate) fn feed(&mut self, chunk: &[u8]) -> Vec<String> {
        let mut events = Vec::new();
        for byte in chunk {
            let second_half = *byte == b'\n' && self.after_return;
            self.after_return = *byte == b'\r';
            if second_half {
                continue;
            }
            if matches!(byte, b'\n' | b'\r') {
                events.extend(self.end_line());
            } else {
                self.line.push(*byte);
            }
        }
        events
    }

    /// The data of an event that the end of the stream cut off before its empty line.
    pub(crate) fn finish(mut self) -> Option<String> {
        if !self.line.is_empty() {
            self.end_line();
        }
        self.data
    }

    /// How many bytes wait for the rest of their event.
    pub(crate) fn pending(&self) -> usize {
        self.line.len() + self.data.as_ref().map_or(0, String::len)
    }

    fn end_line(&mut self) -> Option<String> {
        let line = std::mem::take(&mut self.line);
        if line.is_empty() {
            return self.data.take();
        }
        let line = String::from_utf8_lossy(&line);
        if let Some(value) = line.strip_prefix("data:") {
            let value = value.strip_prefix(' ').unwrap_or(value);
            match &mut self.data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                None => self.data = Some(value.to_owned()),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = ": hello\n\ndata: {\"a\":\"größe\"}\r\n\r\nevent: x\nid: 1\ndata:two\ndata: lines\n\ndata: [DONE]\n\n";

    #[test]
    fn events_do_not_depend_on_where_the_network_cuts() {
        let whole = Decoder::default().feed(STREAM.as_bytes());
        assert_eq!(whole, ["{\"a\":\"größe\"}", "two\nlines", "[DONE]"]);
        for size in 1..STREAM.len() {
            let mut decoder = Decoder::default();
            let got: Vec<_> = STREAM.as_bytes().chunks(size).flat_map(|chunk| decoder.feed(chunk)).collect();
            assert_eq!(got, whole, "chunks of {size}");
            assert_eq!(decoder.pending(), 0);
        }
    }

    #[test]
    fn a_stream_that_ends_early_gives_its_last_event() {
        let mut decoder = Decoder::default();
        assert!(decoder.feed(b"data: tail").is_empty());
        assert_eq!(decoder.pending(), 10);
        assert_eq!(decoder.finish().as_deref(), Some("tail"));
        assert_eq!(Decoder::default().finish(), None);
    }
}
