//! The columns that CSV and Parquet share.
