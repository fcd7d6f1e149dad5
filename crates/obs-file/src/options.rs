//! The choices that a configuration offers by name.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

macro_rules! names {
    ($type:ident, $what:literal, $($variant:ident = $name:literal),*) => {
        impl $type {
            /// Every choice, in the order of the documentation.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// As configurations write it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $type {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                let found = Self::ALL.iter().find(|choice| choice.as_str().eq_ignore_ascii_case(text.trim()));
                found.copied().ok_or_else(|| {
                    let known: Vec<_> = Self::ALL.iter().map(|choice| choice.as_str()).collect();
                    format!("\"{text}\" is no {}; write one of {}", $what, known.join(", "))
                })
            }
        }
    };
}

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileFormat {
    /// One record a line, in the canonical JSON of obs or as a serializer of the user's own has it; the default, since a
    /// crash leaves all of it readable and it alone can be read back as records.
    #[default]
    Jsonl,
    /// A table for each signal, for spreadsheets.
    Csv,
    /// A table of typed columns for each signal, for analytics; readable once the file is closed.
    Parquet,
}

names!(FileFormat, "format of files", Jsonl = "jsonl", Csv = "csv", Parquet = "parquet");

/// How the content of a file is made smaller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Compression {
    /// Not at all; the default, since anybody can read such a file while it is written.
    #[default]
    None,
    /// Gzip: a member for each batch, so that a crash loses none that was written.
    Gzip,
    /// Zstandard: a frame for each batch; in Parquet, the codec of the columns.
    Zstd,
}

names!(Compression, "compression", None = "none", Gzip = "gzip", Zstd = "zstd");

/// What a file is certainly closed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RotationPolicy {
    /// The clock: after each `rotation_interval`, which is an hour where none is given.
    Time,
    /// The size: before a file outgrows `max_file_size`, which is 100 MB where none is given.
    Size,
    /// Both, whichever is first.
    Both,
    /// Neither: a file is closed by `rotate`, and at the end.
    Never,
}

names!(RotationPolicy, "policy of rotation", Time = "time", Size = "size", Both = "both", Never = "never");

/// When it is waited until the disk has what was written; each choice includes those before it.
///
/// What was written survives the end of the process, and `kill -9`, in any case; this is about loss of power.
/// Rows of Parquet wait in memory for their row group, up to 8 MiB or 65,536 of each signal, and a file of Parquet cannot
/// be read before it is closed: `kill -9`, `process::exit`, an abort or a loss of power cost all that the open file of
/// each signal holds, up to `max_file_size` of each. No fsync changes that, so Parquet takes `never` and `on_rotate` only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fsync {
    /// Never; the system writes when it likes, within half a minute as a rule.
    Never,
    /// When a file is closed, before it gets its final name; the default: a closed file is whole for good, and no batch
    /// waits for the disk.
    #[default]
    OnRotate,
    /// And at each `flush`.
    OnFlush,
    /// And after each batch, some milliseconds every time.
    Always,
}

names!(
    Fsync,
    "moment of fsync",
    Never = "never",
    OnRotate = "on_rotate",
    OnFlush = "on_flush",
    Always = "always"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_configuration() {
        fn check<T: Copy + PartialEq + fmt::Debug + FromStr<Err = String> + Serialize>(all: &[T]) {
            for choice in all {
                let name = serde_json::to_value(choice).unwrap();
                assert_eq!(name.as_str().unwrap().parse::<T>().as_ref(), Ok(choice));
            }
        }
        check(FileFormat::ALL);
        check(Compression::ALL);
        check(RotationPolicy::ALL);
        check(Fsync::ALL);
        assert_eq!("GZIP".parse(), Ok(Compression::Gzip));
        let error = "xml".parse::<FileFormat>().unwrap_err();
        assert_eq!(error, "\"xml\" is no format of files; write one of jsonl, csv, parquet");
    }
}
