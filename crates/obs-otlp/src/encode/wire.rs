//! Protobuf's wire format, as far as OTLP needs it.

/// The wire type of what has its length before it: text, bytes, messages.
const DELIMITED: u8 = 2;

/// The tag of a delimited field; the number is below 16, so that it is one byte.
pub(super) const fn delimited(field: u8) -> u8 {
    field << 3 | DELIMITED
}

/// The tag of a varint field.
pub(super) const fn varint(field: u8) -> u8 {
    field << 3
}

/// The tag of a field of eight bytes.
pub(super) const fn fixed64(field: u8) -> u8 {
    field << 3 | 1
}

/// The tag of a field of four bytes.
pub(super) const fn four_bytes(field: u8) -> u8 {
    field << 3 | 5
}

/// How many bytes a number takes as a varint.
#[inline]
pub(super) const fn len(value: u64) -> usize {
    // Seven bits a byte; zero takes one.
    (70 - (value | 1).leading_zeros() as usize) / 7
}

/// How many bytes a delimited field takes, its tag included.
#[inline]
pub(super) const fn field_len(bytes: usize) -> usize {
    1 + len(bytes as u64) + bytes
}

/// Appends a varint.
#[inline]
pub(super) fn push(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a tag and the length of the field's bytes.
#[inline]
pub(super) fn head(out: &mut Vec<u8>, tag: u8, bytes: usize) {
    number(out, tag, bytes as u64);
}

/// Appends a tag and a varint.
#[inline]
pub(super) fn number(out: &mut Vec<u8>, tag: u8, value: u64) {
    // Bytes that are put together first are written at once, where one by one each is checked for room.
    if value < 0x80 {
        out.extend_from_slice(&[tag, value as u8]);
    } else if value < SHORT as u64 {
        let [low, high] = short(value as usize);
        out.extend_from_slice(&[tag, low, high]);
    } else {
        out.push(tag);
        push(out, value);
    }
}

/// What takes three bytes or more as a varint.
pub(super) const SHORT: usize = 1 << 14;

/// The varint of a number that takes two bytes.
#[inline]
pub(super) const fn short(value: usize) -> [u8; 2] {
    [value as u8 | 0x80, (value >> 7) as u8]
}

/// Appends a field of text or bytes, empty or not.
#[inline]
pub(super) fn bytes(out: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    head(out, tag, bytes.len());
    out.extend_from_slice(bytes);
}

/// Appends a field of text, unless it is empty: that is the default, which stays unsaid.
#[inline]
pub(super) fn text(out: &mut Vec<u8>, tag: u8, text: &str) {
    if !text.is_empty() {
        bytes(out, tag, text.as_bytes());
    }
}

/// Appends a field of eight bytes, unless it is zero.
#[inline]
pub(super) fn nanos(out: &mut Vec<u8>, tag: u8, value: u64) {
    if value != 0 {
        out.extend_from_slice(&tagged(tag, value.to_le_bytes()));
    }
}

/// Appends a field of four bytes, unless it is zero.
#[inline]
pub(super) fn fixed32(out: &mut Vec<u8>, tag: u8, value: u32) {
    if value != 0 {
        out.push(tag);
        out.extend_from_slice(&value.to_le_bytes());
    }
}

/// A field of these eight bytes.
#[inline]
pub(super) fn tagged(tag: u8, bytes: [u8; 8]) -> [u8; 9] {
    let mut field = [0; 9];
    field[0] = tag;
    field[1..].copy_from_slice(&bytes);
    field
}

/// Room for the length of a field that is still being written.
///
/// It is as wide as the length is thought to become, so that the bytes behind it seldom have to move.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot {
    at: usize,
    width: usize,
}

impl Slot {
    /// Appends a tag and a slot of this many bytes, at most five.
    #[inline]
    pub(super) fn open(out: &mut Vec<u8>, tag: u8, width: usize) -> Self {
        let at = out.len() + 1;
        out.extend_from_slice(&[tag, 0, 0, 0, 0, 0]);
        out.truncate(at + width);
        Self { at, width }
    }

    /// How many bytes stand behind it, up to `end`.
    #[inline]
    pub(super) fn bytes(self, end: usize) -> usize {
        end - self.at - self.width
    }

    /// How wide it is.
    #[inline]
    pub(super) fn width(self) -> usize {
        self.width
    }

    /// Puts the length of all that stands behind it in; gives the width that it really has.
    #[inline]
    pub(super) fn close(self, out: &mut Vec<u8>) -> usize {
        let bytes = self.bytes(out.len());
        let width = len(bytes as u64);
        if width != self.width {
            self.widen(out, bytes, width);
        }
        match &mut out[self.at..] {
            [one, ..] if width == 1 => *one = bytes as u8,
            [one, two, ..] if width == 2 => (*one, *two) = (bytes as u8 | 0x80, (bytes >> 7) as u8),
            slot => {
                let mut rest = bytes;
                for (nth, byte) in slot[..width].iter_mut().enumerate() {
                    *byte = rest as u8 & 0x7f | if nth + 1 < width { 0x80 } else { 0 };
                    rest >>= 7;
                }
            }
        }
        width
    }

    #[cold]
    fn widen(self, out: &mut Vec<u8>, bytes: usize, width: usize) {
        let (from, to) = (self.at + self.width, self.at + width);
        out.resize(out.len().max(to + bytes), 0);
        out.copy_within(from..from + bytes, to);
        out.truncate(to + bytes);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_varint_is_as_long_as_it_is_said_to_be() {
        for shift in 0..64 {
            for value in [1u64 << shift, (1 << shift) - 1, u64::MAX >> shift] {
                let mut out = Vec::new();
                push(&mut out, value);
                assert_eq!(out.len(), len(value), "{value}");
            }
        }
    }

    proptest! {
        #[test]
        fn a_slot_of_any_width_ends_as_the_shortest_length(width in 0usize..5, bytes in 0usize..20_000, after in 0usize..3) {
            let mut expected = Vec::new();
            let body: Vec<u8> = (0..bytes).map(|at| at as u8).collect();
            super::bytes(&mut expected, delimited(1), &body);
            let mut out = Vec::new();
            let slot = Slot::open(&mut out, delimited(1), width);
            out.extend_from_slice(&body);
            prop_assert_eq!(slot.bytes(out.len()), bytes);
            prop_assert_eq!(slot.close(&mut out), len(bytes as u64));
            out.resize(out.len() + after, 7);
            expected.resize(expected.len() + after, 7);
            prop_assert_eq!(out, expected);
        }
    }
}
