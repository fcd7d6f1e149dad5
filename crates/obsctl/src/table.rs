//! Text in columns.

use std::time::Duration;

use jiff::tz::TimeZone;
use obs_core::Timestamp;

/// Rows with their columns aligned; the last column is not padded.
///
/// Control characters, which could steer the terminal, become `�`.
pub(crate) fn aligned<const N: usize>(rows: &[[String; N]]) -> String {
    let rows: Vec<[String; N]> = rows.iter().map(|row| row.each_ref().map(|cell| harmless(cell))).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..N).map(width).collect();
    let mut out = String::new();
    for row in &rows {
        for (at, cell) in row.iter().enumerate() {
            out.push_str(cell);
            if at + 1 < N {
                out.extend(std::iter::repeat_n(' ', widths[at] - cell.chars().count() + 2));
            }
        }
        out.push('\n');
    }
    out
}

/// Text for a terminal: control characters, of which escape sequences are made, become a visible mark.
pub(crate) fn harmless(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// A time of the user's time zone, to the second.
pub(crate) fn time(at: Timestamp) -> String {
    local(at, &TimeZone::system())
}

fn local(at: Timestamp, zone: &TimeZone) -> String {
    let nanos = i128::from(at.as_nanos());
    match jiff::Timestamp::from_nanosecond(nanos) {
        Ok(time) => time.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string(),
        Err(_) => nanos.to_string(),
    }
}

/// A duration with three significant digits.
pub(crate) fn duration(time: Duration) -> String {
    let (value, unit) = match time.as_nanos() {
        0 => return "0".to_owned(),
        nanos @ 1..1_000 => (nanos as f64, "ns"),
        nanos @ 1_000..1_000_000 => (nanos as f64 / 1e3, "µs"),
        nanos @ 1_000_000..1_000_000_000 => (nanos as f64 / 1e6, "ms"),
        nanos => (nanos as f64 / 1e9, "s"),
    };
    let digits = if value < 10.0 { 2 } else { usize::from(value < 100.0) };
    format!("{value:.digits$} {unit}")
}

/// An amount of money: cents, or as many digits as an amount below a tenth needs for its first three.
pub(crate) fn amount(money: f64) -> String {
    let above = if money > 0.0 && money < 0.1 { -money.log10().floor() } else { 0.0 };
    let digits = if above > 0.0 { (above as usize + 2).min(12) } else { 2 };
    let text = format!("{money:.digits$}");
    match text.split_once('.') {
        Some((whole, cents)) if cents.len() > 2 => {
            let kept = cents.trim_end_matches('0').len().max(2);
            format!("{whole}.{}", &cents[..kept])
        }
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["a", "größe", "x"], ["long", "b", "y\u{1b}[2J"]].map(|row| row.map(str::to_owned));
        assert_eq!(aligned(&rows), "a     größe  x\nlong  b      y\u{fffd}[2J\n");
    }

    #[test]
    fn durations_have_three_digits() {
        let texts =
            [0, 12, 1_234, 12_345, 123_456_789, 61_000_000_000].map(|n| duration(Duration::from_nanos(n)));
        assert_eq!(texts, ["0", "12.0 ns", "1.23 µs", "12.3 µs", "123 ms", "61.0 s"]);
    }

    #[test]
    fn small_amounts_keep_their_first_digits() {
        let texts = [0.0, 12.345, 0.5, 0.0123, 0.001_2, 0.000_012_345, 1e-15].map(amount);
        assert_eq!(texts, ["0.00", "12.35", "0.50", "0.0123", "0.0012", "0.0000123", "0.00"]);
    }

    #[test]
    fn times_are_of_the_zone() {
        let at = Timestamp::from_nanos(1_795_000_000_000_000_000);
        assert_eq!(local(at, &TimeZone::UTC), "2026-11-18 11:06:40");
    }
}
