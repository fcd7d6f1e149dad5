//! A collector that takes all, counts the spans, and keeps nothing.

use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n";

/// Prints its port, and serves until it is killed.
pub(crate) fn run() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    println!("{}", listener.local_addr()?.port());
    let counted = Arc::new(AtomicUsize::new(0));
    for stream in listener.incoming() {
        let (stream, counted) = (stream?, Arc::clone(&counted));
        thread::spawn(move || {
            if let Err(error) = serve(&stream, &counted) {
                eprintln!("collector: {error}");
            }
        });
    }
    Ok(())
}

/// The spans since the last time this was asked.
pub(super) fn counted(port: u16) -> Result<usize, Box<dyn Error>> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.write_all(b"GET /spans HTTP/1.1\r\nconnection: close\r\n\r\n")?;
    let mut said = String::new();
    stream.read_to_string(&mut said)?;
    Ok(said.rsplit("\r\n\r\n").next().unwrap_or_default().trim().parse()?)
}

fn serve(stream: &TcpStream, counted: &AtomicUsize) -> Result<(), Box<dyn Error>> {
    stream.set_nodelay(true)?;
    let (mut reader, mut writer) = (BufReader::with_capacity(1 << 16, stream), stream);
    let (mut line, mut body) = (String::new(), Vec::new());
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        if line.starts_with("GET") {
            let spans = counted.swap(0, Ordering::AcqRel).to_string();
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", spans.len());
            writer.write_all(head.as_bytes())?;
            return Ok(writer.write_all(spans.as_bytes())?);
        }
        body.resize(length(&mut reader)?, 0);
        reader.read_exact(&mut body)?;
        counted.fetch_add(spans(&body)?, Ordering::AcqRel);
        writer.write_all(ANSWER)?;
    }
}

/// Reads the headers, and says how long the body is.
fn length(reader: &mut impl BufRead) -> Result<usize, Box<dyn Error>> {
    let (mut line, mut length) = (String::new(), None);
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        if line.trim().is_empty() {
            return length.ok_or_else(|| "a request without a content-length".into());
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = Some(value.trim().parse()?);
        }
    }
}

/// How many spans an `ExportTraceServiceRequest` has: its ResourceSpans, of them the ScopeSpans, of them the spans.
fn spans(body: &[u8]) -> Result<usize, Box<dyn Error>> {
    let mut all = 0;
    for resource in messages(body, 1)? {
        for scope in messages(resource, 2)? {
            all += messages(scope, 2)?.len();
        }
    }
    Ok(all)
}

/// The messages that are the field of this number.
fn messages(mut body: &[u8], field: u64) -> Result<Vec<&[u8]>, Box<dyn Error>> {
    let mut found = Vec::new();
    while !body.is_empty() {
        let tag = varint(&mut body)?;
        if tag & 7 != 2 {
            return Err(format!("field {} is no message", tag >> 3).into());
        }
        let length = varint(&mut body)? as usize;
        let (message, rest) = body.split_at_checked(length).ok_or("a message is cut short")?;
        if tag >> 3 == field {
            found.push(message);
        }
        body = rest;
    }
    Ok(found)
}

fn varint(body: &mut &[u8]) -> Result<u64, Box<dyn Error>> {
    let mut value = 0;
    for at in 0..10 {
        let (byte, rest) = body.split_first().ok_or("a number is cut short")?;
        *body = rest;
        value |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err("a number is too long".into())
}
